# SPDX-License-Identifier: Apache-2.0
"""How one talks to the robot: the RobotLink protocol and both ends of Unitree's wire."""
