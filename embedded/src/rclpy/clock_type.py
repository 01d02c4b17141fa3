# SPDX-License-Identifier: Apache-2.0
"""Kinds of clocks, and the units of time."""

from __future__ import annotations

from enum import IntEnum

S_TO_NS = 1_000_000_000
INT64 = (-(2**63), 2**63 - 1)


class ClockType(IntEnum):
    """Kinds of clocks; ROS_TIME is system time here, as simulated time is not offered."""

    UNINITIALIZED = 0
    ROS_TIME = 1
    SYSTEM_TIME = 2
    STEADY_TIME = 3
