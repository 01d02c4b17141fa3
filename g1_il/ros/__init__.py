# SPDX-License-Identifier: Apache-2.0
"""What only ROS code needs: parameters, QoS profiles, messages and bags to arrays."""
