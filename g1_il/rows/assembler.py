# SPDX-License-Identifier: Apache-2.0
"""Stamped streams in, rows out: one class for training data and for the running policy.

The reference camera is the master: each of its frames makes a row, and every other stream gives
its last sample that is not later than the frame's capture time. Such a sample is only known once
nothing earlier can still come, so a row waits until each stream is past the frame's time or is
not due before it; the next frame ends the waiting. Each stream is decided for itself, so a row
does not depend on which other streams are assembled with it.

Nothing is invented: a sample beyond its tolerance is used and flagged as held, one beyond its hard
limit refuses the row, and a value that is not finite counts as not sent.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from g1_il.errors import G1Error
from g1_il.rows.row import Row
from g1_il.rows.streams import AssemblerConfig, StreamRule

# A sample counts as due a tenth of its period early: clocks and schedulers jitter.
_DUE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A row that was not made.

    Attributes:
        stamp_ns: Capture time it would have had [ns].
        stream: The stream that was too old or not there.
        age_ns: Age of its last sample at that time [ns]; None when there is none.
    """

    stamp_ns: int
    stream: str
    age_ns: int | None

    def __str__(self) -> str:
        if self.age_ns is None:
            return f'nothing from {self.stream}'
        return f'{self.stream} is {self.age_ns / 1e6:.0f} ms old'


@dataclass(slots=True)
class _Buffer:
    """Samples of one stream, oldest first."""

    rule: StreamRule
    stamps: list[int] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def as_of(self, stamp_ns: int) -> tuple[int, Any] | None:
        """Last sample not later than the stamp."""
        place = bisect_right(self.stamps, stamp_ns)
        return (self.stamps[place - 1], self.values[place - 1]) if place else None

    def is_settled(self, stamp_ns: int) -> bool:
        """Whether no sample up to the stamp is still expected."""
        if not self.stamps:
            return False
        newest = self.stamps[-1]
        return newest >= stamp_ns or newest + _DUE * self.rule.period_ns > stamp_ns

    def forget_before(self, stamp_ns: int) -> None:
        """Drops what no row at or after the stamp can need."""
        place = bisect_right(self.stamps, stamp_ns) - 1
        if place > 0:
            del self.stamps[:place]
            del self.values[:place]


@dataclass(slots=True)
class _Pending:
    """A row in the making: which sample each stream has settled on."""

    stamp_ns: int
    chosen: dict[str, tuple[int, Any] | None]
    open: list[str]


class FrameAssembler:
    """Turns samples, in the order in which they arrive, into rows.

    Attributes:
        counts: Samples not used, by reason: 'late' (not newer than the stream's last),
            'invalid' (not finite, or empty), 'unstamped' (stamp zero), 'resets' (the clock was
            set back: everything before was forgotten).
    """

    def __init__(self, config: AssemblerConfig) -> None:
        """Starts without a sample."""
        self._config = config
        self.counts: Counter[str] = Counter()
        self._window_ns = 1_000_000_000 + max(
            rule.limit_ns for rule in (config.reference, *config.others)
        )
        self._rows: list[Row] = []
        self._refusals: list[Refusal] = []
        self._buffers: dict[str, _Buffer] = {}
        self._newest: dict[str, int | None] = {}
        self._frame: tuple[int, Any] | None = None
        self._pending: deque[_Pending] = deque()
        self._forget()

    def push(self, stream: str, stamp_ns: int, value: Any) -> None:
        """Takes one sample.

        Args:
            stream: One of the config's streams.
            stamp_ns: Capture time [ns].
            value: A vector of finite numbers, or encoded image bytes. It is kept, not copied.

        Raises:
            G1Error: The config has no such stream.
        """
        if stream not in self._newest:
            raise G1Error(f'stream {stream!r} is not assembled; allowed: {self._config.names}')
        if stamp_ns <= 0:
            self.counts['unstamped'] += 1
            return
        if not _is_usable(value):
            self.counts['invalid'] += 1
            return
        newest = self._newest[stream]
        if newest is not None and stamp_ns <= newest:
            if stamp_ns > newest - self._config.reset_ns:
                self.counts['late'] += 1
                return
            self._forget()
            self.counts['resets'] += 1
        self._newest[stream] = stamp_ns
        if stream == self._config.reference.name:
            self._push_reference(stamp_ns, value)
        else:
            buffer = self._buffers[stream]
            buffer.stamps.append(stamp_ns)
            buffer.values.append(value)
            buffer.forget_before(stamp_ns - self._window_ns)
        self._settle()

    def rows(self) -> list[Row]:
        """Rows completed since the last call, oldest first."""
        rows, self._rows = self._rows, []
        return rows

    def refusals(self) -> list[Refusal]:
        """Rows refused since the last call, oldest first."""
        refusals, self._refusals = self._refusals, []
        return refusals

    def flush(self) -> list[Row]:
        """Ends the waiting for a recording that is over; returns what is left."""
        self._end_waiting()
        return self.rows()

    def _forget(self) -> None:
        self._buffers = {rule.name: _Buffer(rule) for rule in self._config.others}
        self._newest = dict.fromkeys(self._config.names)
        self._frame = None
        self._pending.clear()

    def _push_reference(self, stamp_ns: int, value: Any) -> None:
        self._end_waiting()
        if self._frame is not None:
            self._bridge_gap(self._frame, stamp_ns)
        self._frame = (stamp_ns, value)
        for buffer in self._buffers.values():
            buffer.forget_before(stamp_ns)
        self._begin(stamp_ns, self._frame)

    def _bridge_gap(self, frame: tuple[int, Any], stamp_ns: int) -> None:
        """Makes held rows where frames are missing, so that a row stays 1 / fps long."""
        rule = self._config.reference
        gap_ns = stamp_ns - frame[0]
        if 2 * gap_ns < 3 * rule.period_ns or gap_ns > rule.limit_ns:
            return
        steps = round(gap_ns / rule.period_ns)
        for step in range(1, steps):
            self._begin(frame[0] + -(-gap_ns * step // steps), frame)
        self._end_waiting()

    def _begin(self, stamp_ns: int, frame: tuple[int, Any]) -> None:
        self._pending.append(
            _Pending(
                stamp_ns=stamp_ns,
                chosen={self._config.reference.name: frame},
                open=list(self._buffers),
            )
        )

    def _settle(self) -> None:
        """Decides the streams that can be decided, and completes rows in order."""
        for row in self._pending:
            for name in list(row.open):
                if self._buffers[name].is_settled(row.stamp_ns):
                    row.chosen[name] = self._buffers[name].as_of(row.stamp_ns)
                    row.open.remove(name)
        while self._pending and not self._pending[0].open:
            self._complete(self._pending.popleft())

    def _end_waiting(self) -> None:
        while self._pending:
            row = self._pending.popleft()
            for name in row.open:
                row.chosen[name] = self._buffers[name].as_of(row.stamp_ns)
            self._complete(row)

    def _complete(self, row: _Pending) -> None:
        values: dict[str, Any] = {}
        ages_ns: dict[str, int] = {}
        held: list[str] = []
        for rule in (self._config.reference, *self._config.others):
            sample = row.chosen[rule.name]
            age_ns = None if sample is None else row.stamp_ns - sample[0]
            if sample is None or age_ns is None or age_ns > rule.limit_ns:
                refusal = Refusal(stamp_ns=row.stamp_ns, stream=rule.name, age_ns=age_ns)
                self._refusals.append(refusal)
                return
            values[rule.name] = sample[1]
            ages_ns[rule.name] = age_ns
            is_repeated = rule is self._config.reference and age_ns > 0
            if is_repeated or age_ns > rule.tolerance_ns:
                held.append(rule.name)
        self._rows.append(
            Row(stamp_ns=row.stamp_ns, values=values, ages_ns=ages_ns, held=tuple(held))
        )


def _is_usable(value: Any) -> bool:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return len(value) > 0
    return bool(np.isfinite(value).all())
