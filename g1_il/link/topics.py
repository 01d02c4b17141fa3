# SPDX-License-Identifier: Apache-2.0
"""Names of the robot's topics in DDS, and which variants of the robot this package fits."""

from __future__ import annotations

LOW_STATE = 'rt/lowstate'
ARM_SDK = 'rt/arm_sdk'
LOW_CMD = 'rt/lowcmd'
HAND_STATE = {'left': 'rt/dex3/left/state', 'right': 'rt/dex3/right/state'}
HAND_CMD = {'left': 'rt/dex3/left/cmd', 'right': 'rt/dex3/right/cmd'}
SIDES = ('left', 'right')

HAND_JOINTS = {'left': slice(29, 36), 'right': slice(36, 43)}
"""Places of each hand's joints in ALL_JOINTS."""

HAND_TIMEOUT_BIT = 0x80
"""In a hand motor's mode: stop by itself about 1 s after the last command."""
HAND_FOC = 0x10
"""In a hand motor's mode: controlled (1) rather than locked (0); bits 0-3 are the motor's id."""

MODE_MACHINE_29DOF = 5
"""29 joints, revision 1.0: the variant whose masses and lengths this package's tables hold."""
