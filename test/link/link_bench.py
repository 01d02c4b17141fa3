# SPDX-License-Identifier: Apache-2.0
"""A link that closes itself, and commands to send over it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from g1_il.link.unitree_link import UnitreeLink
from g1_il.robot.command import RobotCommand
from g1_il.robot.joints import COMMAND_INDEX, KD, KP


@contextmanager
def open_link(domain: int, **changes) -> Iterator[UnitreeLink]:
    settings = dict(domain=domain, interface='lo', accept_zero_crc=False) | changes
    link = UnitreeLink(**settings)
    try:
        yield link
    finally:
        link.close()


def command(position: np.ndarray, weight: float, *, hands: bool = True) -> RobotCommand:
    kp, kd = np.zeros(43), np.zeros(43)
    kp[COMMAND_INDEX], kd[COMMAND_INDEX] = KP[COMMAND_INDEX], KD[COMMAND_INDEX]
    return RobotCommand(
        position=position,
        velocity=np.zeros(43),
        effort=np.zeros(43),
        kp=kp,
        kd=kd,
        weight=weight,
        hands_enabled=hands,
    )


def send_for(link: UnitreeLink, sent: RobotCommand, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        link.latest()
        link.send(sent)
        time.sleep(0.004)
