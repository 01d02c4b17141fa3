# SPDX-License-Identifier: Apache-2.0
"""What is known of the robot, how old it is, and whether the robot may be driven by it."""

from __future__ import annotations

from g1_il.robot.state import RobotState
from g1_il.safety.config import GateConfig
from g1_il.safety.health import illness, is_finite, obstacle_to_arming


class RobotWatch:
    """Newest believable state of the robot, and the ages of body and hands.

    Stamps belong to recorded data and may come from a clock that is set while we run; the gate's
    clock only goes forward. So a part is as old as the step in which its stamp was last new.

    Attributes:
        measured: Newest state whose body was finite; None before the first.
    """

    def __init__(self, config: GateConfig) -> None:
        """Starts with everything unseen."""
        self._config = config
        self._stamps = [-1, -1, -1]
        self._seen_ns: list[int | None] = [None, None, None]
        self.measured: RobotState | None = None

    def observe(self, state: RobotState | None, now_ns: int) -> bool:
        """Takes note of a state; True when its body part is new. NaN counts as nothing."""
        if state is None or not is_finite(state):
            return False
        stamps = (state.stamp_ns, state.left_hand_stamp_ns, state.right_hand_stamp_ns)
        new_body = stamps[0] != self._stamps[0]
        for index, stamp in enumerate(stamps):
            if stamp not in (self._stamps[index], -1):
                self._stamps[index] = stamp
                self._seen_ns[index] = now_ns
        self.measured = state
        return new_body

    def is_fresh(self, now_ns: int) -> bool:
        """True while the body's state is young enough to move by."""
        return self._younger(0, now_ns, self._config.state_hold_after_s)

    def is_lost(self, now_ns: int) -> bool:
        """True when the body's state is so old that it is a fault."""
        return not self._younger(0, now_ns, self._config.state_fault_after_s)

    def stale_hands(self, now_ns: int) -> tuple[bool, bool]:
        """Whether the left and the right hand have been silent for too long."""
        limit_s = self._config.hand_stale_after_s
        return not self._younger(1, now_ns, limit_s), not self._younger(2, now_ns, limit_s)

    def illness(self) -> str:
        """Why the robot must not be driven on; empty when it is well or unknown."""
        return '' if self.measured is None else illness(self.measured, self._config)

    def obstacle_to_arming(self, now_ns: int) -> str:
        """Why the arms cannot be taken over now; empty when they can."""
        if self.measured is None:
            return 'no robot state has come yet; is the robot on, and interface:= right?'
        if not self.is_fresh(now_ns):
            return 'the robot state is no longer fresh; check the link to the robot'
        if self._config.hands:
            for side, stale in zip(('left', 'right'), self.stale_hands(now_ns), strict=True):
                if stale:
                    return f'the {side} hand is silent; check its cable, or set hands:=false'
        return obstacle_to_arming(self.measured, self._config)

    def _younger(self, part: int, now_ns: int, limit_s: float) -> bool:
        seen_ns = self._seen_ns[part]
        return seen_ns is not None and now_ns - seen_ns <= limit_s * 1e9
