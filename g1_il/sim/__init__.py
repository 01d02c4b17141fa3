# SPDX-License-Identifier: Apache-2.0
"""The simulated G1 (MuJoCo), its tasks and the scripted operator."""
