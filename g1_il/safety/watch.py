# SPDX-License-Identifier: Apache-2.0
"""How old each part of the robot's state is, on the gate's own clock."""

from __future__ import annotations

from g1_il.robot.state import RobotState


class StateWatch:
    """Ages of body and hands, judged by when their stamps changed.

    Stamps belong to recorded data and may come from a clock that is set while we run; the gate's
    clock only goes forward. A part is as old as the step in which its stamp was last new.
    """

    def __init__(self) -> None:
        """Starts with everything unseen."""
        self._stamps = [-1, -1, -1]
        self._seen_ns: list[int | None] = [None, None, None]

    def observe(self, state: RobotState | None, now_ns: int) -> bool:
        """Takes note of a state; True when its body part is new."""
        if state is None:
            return False
        stamps = (state.stamp_ns, state.left_hand_stamp_ns, state.right_hand_stamp_ns)
        new_body = stamps[0] != self._stamps[0]
        for index, stamp in enumerate(stamps):
            if stamp != self._stamps[index] and stamp != -1:
                self._stamps[index] = stamp
                self._seen_ns[index] = now_ns
        return new_body

    def body_age_ns(self, now_ns: int) -> int | None:
        """Age of the body's state [ns]; None before the first."""
        return self._age(0, now_ns)

    def hand_ages_ns(self, now_ns: int) -> tuple[int | None, int | None]:
        """Ages of the left and the right hand's state [ns]; None before the first."""
        return self._age(1, now_ns), self._age(2, now_ns)

    def _age(self, index: int, now_ns: int) -> int | None:
        seen_ns = self._seen_ns[index]
        return None if seen_ns is None else now_ns - seen_ns
