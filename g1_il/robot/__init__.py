# SPDX-License-Identifier: Apache-2.0
"""What the G1 is: joint table, limits, gains, models built from it, kinematics, collision."""
