# SPDX-License-Identifier: Apache-2.0
"""The G1 and its two Dex3-1 hands, seen from the bridge over unitree_sdk2py."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from g1_il.errors import G1Error
from g1_il.link import layout, topics
from g1_il.link.crc import crc_of_struct
from g1_il.link.sdk import Channels
from g1_il.link.state_codec import HandReading, decode_hand, decode_state
from g1_il.link.topics import SIDES
from g1_il.robot.command import RobotCommand
from g1_il.robot.state import RobotState

HAND_PERIOD_NS = 10_000_000
"""Hands get commands at 100 Hz."""


class LinkError(G1Error):
    """The robot cannot be commanded over this link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkHealth:
    """How well the robot's messages arrive.

    Attributes:
        lowstate_rate_hz: LowState messages over the last second.
        lowstate_age_s: Age of the newest one; NaN before the first.
        hand_age_s: Age of the newest state of the left and the right hand; NaN before the first.
        crc_errors: LowState messages refused for their checksum, since start.
        malformed: Messages refused for their encoding or length, since start.
        mode_machine: Variant of the robot; -1 before the first LowState.
    """

    lowstate_rate_hz: float
    lowstate_age_s: float
    hand_age_s: tuple[float, float]
    crc_errors: int
    malformed: int
    mode_machine: int


class UnitreeLink:
    """RobotLink to a G1, real or simulated.

    Messages arrive on a thread of DDS, which checks and keeps the newest; `latest` decodes it.
    Times are of the wall clock, as stamps of recorded data are.
    """

    def __init__(
        self,
        *,
        domain: int,
        interface: str,
        accept_zero_crc: bool,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Opens the robot's topics.

        Args:
            domain: 0 the real robot, 1 simulations.
            interface: Network interface; empty lets DDS choose.
            accept_zero_crc: Believe LowState whose checksum is 0, as some simulators leave it.
            wall_ns: The host's clock [ns].

        Raises:
            ConfigError: The SDK is missing or the domain cannot be entered.
        """
        self._accept_zero_crc = accept_zero_crc
        self._wall_ns = wall_ns
        self._lock = threading.Lock()
        self._low: tuple[layout.Struct, int] | None = None
        self._hands: dict[str, tuple[bytes, int]] = {}
        self._decoded: RobotState | None = None
        self._decoded_hands: dict[str, HandReading] = {}
        self._arrivals_ns: deque[int] = deque(maxlen=2000)
        self._crc_errors = 0
        self._malformed = 0
        self._hands_due_ns = 0
        self._hands_were_enabled = False
        self._command = layout.zeros(layout.LOW_CMD)
        self._hand_command = layout.zeros(layout.HAND_CMD)
        self._hand_command['motor_count'] = layout.HAND_MOTORS
        self._channels = Channels(domain, interface)
        self._write_body = self._channels.writer(topics.ARM_SDK, 'LowCmd_')
        self._write_hand = {
            side: self._channels.writer(topics.HAND_CMD[side], 'HandCmd_') for side in SIDES
        }
        self._channels.reader(topics.LOW_STATE, 'LowState_', self._on_low_state)
        for side in SIDES:
            self._channels.reader(topics.HAND_STATE[side], 'HandState_', self._hand_handler(side))

    def latest(self) -> RobotState | None:
        """Newest measured state; None before the first."""
        with self._lock:
            low, hands = self._low, dict(self._hands)
        if low is None:
            return None
        readings = self._decoded_hands
        for side, (data, stamp_ns) in hands.items():
            known = readings.get(side)
            if known is None or known.stamp_ns != stamp_ns:
                try:
                    readings[side] = decode_hand(data, stamp_ns)
                except layout.WireError:
                    self._malformed += 1
        struct, stamp_ns = low
        if self._decoded is None or stamp_ns != self._decoded.stamp_ns:
            self._decoded = decode_state(
                struct, stamp_ns, readings.get('left'), readings.get('right')
            )
        return self._decoded

    def touch(self, side: str) -> HandReading | None:
        """Newest decoded state of a hand, its touch pads included; None before the first."""
        return self._decoded_hands.get(side)

    def obstacle(self) -> str:
        """Why this robot must not be commanded; empty when it may be."""
        state = self._decoded
        if state is None:
            return ''
        if state.mode_machine != topics.MODE_MACHINE_29DOF:
            return (
                f'mode_machine of the robot is {state.mode_machine}, allowed is '
                f'{topics.MODE_MACHINE_29DOF} (29 joints, rev. 1.0); this package has no tables '
                f'for other variants'
            )
        return ''

    def send(self, command: RobotCommand) -> None:
        """Puts one command on the wire; hands at 100 Hz and when they are let go.

        Raises:
            LinkError: The robot has not told its variant yet, or it is an unknown one.
        """
        state = self._decoded
        if state is None:
            raise LinkError('no LowState has come, so the robot cannot be commanded yet')
        if self.obstacle():
            raise LinkError(self.obstacle())
        body = self._command
        body['mode_pr'] = state.mode_pr
        body['mode_machine'] = state.mode_machine
        motors = body['motor_cmd'][0]
        joints = slice(0, 29)
        motors['q'][joints] = command.position[joints]
        motors['dq'][joints] = command.velocity[joints]
        motors['tau'][joints] = command.effort[joints]
        motors['kp'][joints] = command.kp[joints]
        motors['kd'][joints] = command.kd[joints]
        motors['mode'][joints] = (command.kp[joints] > 0.0) | (command.kd[joints] > 0.0)
        motors['q'][layout.WEIGHT_MOTOR] = command.weight
        body['crc'] = crc_of_struct(body)
        self._write_body(layout.low_to_cdr(body))
        now_ns = time.monotonic_ns()
        changed = command.hands_enabled != self._hands_were_enabled
        if changed or now_ns >= self._hands_due_ns:
            self._hands_due_ns = max(self._hands_due_ns + HAND_PERIOD_NS, now_ns)
            self._hands_were_enabled = command.hands_enabled
            for side in SIDES:
                self._send_hand(side, command)

    def health(self) -> LinkHealth:
        """How well the robot's messages arrive."""
        now_ns = self._wall_ns()
        with self._lock:
            arrivals = list(self._arrivals_ns)
            low, hands = self._low, dict(self._hands)
        return LinkHealth(
            lowstate_rate_hz=float(sum(now_ns - stamp < 1_000_000_000 for stamp in arrivals)),
            lowstate_age_s=np.nan if low is None else (now_ns - low[1]) * 1e-9,
            hand_age_s=(
                _age_s(hands.get('left'), now_ns),
                _age_s(hands.get('right'), now_ns),
            ),
            crc_errors=self._crc_errors,
            malformed=self._malformed,
            mode_machine=-1 if low is None else int(low[0]['mode_machine'][0]),
        )

    def close(self) -> None:
        """Leaves the robot's domain."""
        self._channels.close()

    def _send_hand(self, side: str, command: RobotCommand) -> None:
        motors = self._hand_command['motor_cmd'][0]
        identity = np.arange(layout.HAND_MOTORS, dtype=np.uint8)
        motors['mode'] = identity | topics.HAND_FOC | topics.HAND_TIMEOUT_BIT
        joints = topics.HAND_JOINTS[side]
        enabled = float(command.hands_enabled)
        motors['q'] = command.position[joints] * enabled
        motors['dq'] = command.velocity[joints] * enabled
        motors['tau'] = command.effort[joints] * enabled
        motors['kp'] = command.kp[joints] * enabled
        motors['kd'] = command.kd[joints] * enabled
        self._write_hand[side](layout.hand_to_cdr(self._hand_command))

    def _on_low_state(self, data: bytes) -> None:
        stamp_ns = self._wall_ns()
        try:
            struct = layout.low_from_cdr(data, layout.LOW_STATE)
        except layout.WireError:
            self._malformed += 1
            return
        told = int(struct['crc'][0])
        if told != crc_of_struct(struct) and not (told == 0 and self._accept_zero_crc):
            self._crc_errors += 1
            return
        with self._lock:
            self._low = (struct, stamp_ns)
            self._arrivals_ns.append(stamp_ns)

    def _hand_handler(self, side: str) -> Callable[[bytes], None]:
        def keep(data: bytes) -> None:
            with self._lock:
                self._hands[side] = (data, self._wall_ns())

        return keep


def _age_s(reading: tuple[bytes, int] | None, now_ns: int) -> float:
    return np.nan if reading is None else (now_ns - reading[1]) * 1e-9
