# SPDX-License-Identifier: Apache-2.0
"""The robot's side of Unitree's wire, for a simulated G1.

It refuses what the real robot ignores (a wrong checksum, a wrong `mode_machine`) and counts it.
It holds the last body command for ever, as nobody has shown that the real one does otherwise.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from g1_il.link import layout, topics
from g1_il.link.crc import crc_of_struct
from g1_il.link.layout import Struct
from g1_il.link.sdk import Channels
from g1_il.link.state_codec import Pads, encode_hand, encode_state
from g1_il.link.topics import SIDES
from g1_il.robot.command import RobotCommand
from g1_il.robot.state import RobotState

HAND_TIMEOUT_NS = 1_000_000_000
"""A hand whose last command had the timeout bit goes limp this long after it."""

_BODY = slice(0, 29)
_ARM_SDK_JOINTS = slice(12, 29)
"""Joints that arm_sdk can command: waist and arms."""
_COLUMNS = ('q', 'dq', 'tau', 'kp', 'kd')


@dataclass(frozen=True, slots=True, kw_only=True)
class WireCounts:
    """Commands since start.

    Attributes:
        accepted: Body commands taken.
        crc: Body commands refused for their checksum.
        mode_machine: Body commands refused for their mode_machine.
        malformed: Messages refused for their encoding or length.
    """

    accepted: int
    crc: int
    mode_machine: int
    malformed: int


class UnitreeRobot:
    """A G1 on the wire: publishes its state, keeps the newest commands."""

    def __init__(
        self,
        *,
        domain: int,
        interface: str,
        mode_machine: int = topics.MODE_MACHINE_29DOF,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Opens the robot's topics.

        Args:
            domain: DDS domain of the simulated robot, 1 by custom.
            interface: Network interface; empty lets DDS choose.
            mode_machine: Variant that this robot claims to be.
            monotonic_ns: Clock of the hands' time-outs and of `tick` [ns].

        Raises:
            ConfigError: The SDK is missing or the domain cannot be entered.
        """
        self._mode_machine = mode_machine
        self._monotonic_ns = monotonic_ns
        self._started_ns = monotonic_ns()
        self._lock = threading.Lock()
        self._body: tuple[Struct, bool] | None = None
        self._hands: dict[str, tuple[Struct, int]] = {}
        self._accepted = self._bad_crc = self._bad_mode = self._malformed = 0
        self._low_state = layout.zeros(layout.LOW_STATE)
        self._hand_state = layout.zeros(layout.hand_state_type(layout.PADS))
        self._channels = Channels(domain, interface)
        self._write_state = self._channels.writer(topics.LOW_STATE, 'LowState_')
        self._write_hand = {
            side: self._channels.writer(topics.HAND_STATE[side], 'HandState_') for side in SIDES
        }
        self._channels.reader(topics.ARM_SDK, 'LowCmd_', lambda data: self._on_body(data, True))
        self._channels.reader(topics.LOW_CMD, 'LowCmd_', lambda data: self._on_body(data, False))
        for side in SIDES:
            self._channels.reader(topics.HAND_CMD[side], 'HandCmd_', self._hand_handler(side))

    @property
    def counts(self) -> WireCounts:
        """What has come, and what was refused."""
        with self._lock:
            return WireCounts(
                accepted=self._accepted,
                crc=self._bad_crc,
                mode_machine=self._bad_mode,
                malformed=self._malformed,
            )

    @property
    def full_body(self) -> bool:
        """True while the body command in force came by rt/lowcmd: it has legs and waist, too."""
        with self._lock:
            return self._body is not None and not self._body[1]

    def publish_body(self, state: RobotState) -> None:
        """Publishes LowState, with this robot's mode_machine, tick and checksum."""
        tick = (self._monotonic_ns() - self._started_ns) // 1_000_000
        encode_state(self._low_state, state, mode_machine=self._mode_machine, tick=tick)
        self._low_state['crc'] = crc_of_struct(self._low_state)
        self._write_state(layout.low_to_cdr(self._low_state))

    def publish_hand(self, side: str, state: RobotState, pressure: Pads | None = None) -> None:
        """Publishes HandState of one hand.

        Args:
            side: left or right.
            state: The robot's state.
            pressure: Touch, raw / 10000, shape (108,); None when there is no such sensor.
        """
        joints = topics.HAND_JOINTS[side]
        with self._lock:
            timed_out = side in self._hands and self._is_limp(side, self._monotonic_ns())
        encode_hand(
            self._hand_state,
            state.position[joints],
            state.velocity[joints],
            state.effort[joints],
            timed_out=timed_out,
            pressure=pressure,
        )
        self._write_hand[side](layout.hand_to_cdr(self._hand_state))

    def command(self) -> RobotCommand | None:
        """The command in force; None before the first.

        Joints with neither kp nor kd are not ours to move: the robot's own controller has them
        (legs and waist), or nobody (a hand that has been let go or has timed out). A command on
        rt/lowcmd has all body joints at weight 1; the newer of rt/arm_sdk and rt/lowcmd counts.
        """
        now_ns = self._monotonic_ns()
        with self._lock:
            body, hands = self._body, dict(self._hands)
            limp = {side: self._is_limp(side, now_ns) for side in hands}
        if body is None and not hands:
            return None
        columns = np.zeros((5, 43))
        weight = 0.0
        if body is not None:
            struct, is_arm_sdk = body
            joints = _ARM_SDK_JOINTS if is_arm_sdk else _BODY
            motors = struct['motor_cmd'][0]
            enabled = motors['mode'][joints] == 1
            for row, name in enumerate(_COLUMNS):
                columns[row, joints] = motors[name][joints] * enabled
            weight = 1.0
            if is_arm_sdk:
                weight = float(np.clip(motors['q'][layout.WEIGHT_MOTOR], 0.0, 1.0))
        for side, (struct, _) in hands.items():
            if limp[side]:
                continue
            motors = struct['motor_cmd'][0]
            for row, name in enumerate(_COLUMNS):
                columns[row, topics.HAND_JOINTS[side]] = motors[name]
        position, velocity, effort, kp, kd = columns
        return RobotCommand(
            position=position,
            velocity=velocity,
            effort=effort,
            kp=kp,
            kd=kd,
            weight=weight,
            hands_enabled=bool(kp[29:].any() or kd[29:].any() or effort[29:].any()),
        )

    def close(self) -> None:
        """Leaves the domain."""
        self._channels.close()

    def _is_limp(self, side: str, now_ns: int) -> bool:
        struct, received_ns = self._hands[side]
        times_out = bool((struct['motor_cmd'][0]['mode'] & topics.HAND_TIMEOUT_BIT).any())
        return times_out and now_ns - received_ns > HAND_TIMEOUT_NS

    def _on_body(self, data: bytes, is_arm_sdk: bool) -> None:
        try:
            struct = layout.low_from_cdr(data, layout.LOW_CMD)
        except layout.WireError:
            with self._lock:
                self._malformed += 1
            return
        right_crc = int(struct['crc'][0]) == crc_of_struct(struct)
        right_mode = int(struct['mode_machine'][0]) == self._mode_machine
        with self._lock:
            if not right_crc:
                self._bad_crc += 1
            elif not right_mode:
                self._bad_mode += 1
            else:
                self._accepted += 1
                self._body = (struct, is_arm_sdk)

    def _hand_handler(self, side: str) -> Callable[[bytes], None]:
        def keep(data: bytes) -> None:
            try:
                struct = layout.hand_cmd_from_cdr(data)
            except layout.WireError:
                with self._lock:
                    self._malformed += 1
                return
            with self._lock:
                self._hands[side] = (struct, self._monotonic_ns())

        return keep
