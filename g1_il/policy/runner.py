# SPDX-License-Identifier: Apache-2.0
"""Runs a policy against time: infers when due, and says what the joints should do now.

Used alike by the policy node and by evaluation in one process: time comes in as an argument.
Actions carry times, so that a late answer is entered where it belongs and its past is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from g1_il.errors import ConfigError, G1Error
from g1_il.policy.policy import ActionChunk, Policy
from g1_il.robot.command import JointTargets
from g1_il.rows.row import Row

SOURCE = 'policy'


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerConfig:
    """How a policy is run."""

    execute: int = field(
        default=0,
        metadata={'description': 'rows after which to infer again; 0: as the policy was made'},
    )
    blend_s: float = field(
        default=0.1,
        metadata={'description': 'time in which a new chunk takes over from the old one [s]'},
    )
    max_observation_age_s: float = field(
        default=0.25,
        metadata={'description': 'age of the newest observation beyond which to go quiet [s]'},
    )

    def __post_init__(self) -> None:
        if self.execute < 0:
            raise ConfigError(f'execute is {self.execute}; it must be 0 or more')
        if not 0.0 <= self.blend_s <= 2.0:
            raise ConfigError(f'blend_s is {self.blend_s}; it must lie between 0 and 2')
        if not 0.0 < self.max_observation_age_s <= 2.0:
            raise ConfigError(
                f'max_observation_age_s is {self.max_observation_age_s}; '
                'it must lie above 0 and at most at 2'
            )


class PolicyRunner:
    """A receding horizon: infers every `execute` rows and interpolates between actions.

    `observe` does both halves at once; a node that infers on another thread calls `notice` and
    `accept` instead, with its own lock around them.
    """

    def __init__(self, policy: Policy, config: RunnerConfig | None = None) -> None:
        """Starts empty.

        Args:
            policy: What to run.
            config: How; defaults when None.
        """
        self._policy = policy
        self._config = config or RunnerConfig()
        self._execute = self._config.execute or policy.execute
        self._max_age_ns = round(self._config.max_observation_age_s * 1e9)
        self._blend_ns = round(self._config.blend_s * 1e9)
        self.steps = 0
        self.refused = 0
        self.reset()

    def reset(self) -> None:
        """Forgets every observation and action, as before the first; counters stay."""
        self._plan: ActionChunk | None = None
        self._newest_ns: int | None = None
        self._rows_since = 0
        self._asked_ns: int | None = None
        self._reason = 'no observation yet'

    @property
    def observation_stamp_ns(self) -> int | None:
        """Capture time of the newest usable observation [ns]; None before the first."""
        return self._newest_ns

    @property
    def reason(self) -> str:
        """Why there are no targets; empty when there are."""
        return self._reason

    def observe(self, row: Row) -> None:
        """Takes a row, and infers when it is time to.

        A row that the policy cannot answer is counted and gives the reason; the actions in hand
        stay until they are too old.
        """
        if not self.notice(row):
            return
        try:
            chunk = self._policy.infer(row)
        except G1Error as error:
            self.refuse(str(error))
            return
        self.accept(chunk)

    def notice(self, row: Row) -> bool:
        """Takes note of a row.

        Returns:
            Whether the policy should infer on it now.
        """
        missing = [name for name in self._policy.streams if row.values.get(name) is None]
        if missing:
            self.refuse(f'no {", ".join(missing)}')
            return False
        if self._newest_ns is not None and row.stamp_ns <= self._newest_ns:
            if row.stamp_ns == self._newest_ns:
                return False
            # Time went back: nothing in hand belongs to the new time, so start as from nothing.
            self.reset()
            self.refuse('the observations went back in time')
        self._newest_ns = row.stamp_ns
        self._rows_since += 1
        return self._plan is None or self._rows_since >= self._execute

    def accept(self, chunk: ActionChunk) -> None:
        """Enters a chunk into the plan, at the times it is for."""
        if self._newest_ns is None or chunk.stamp_ns > self._newest_ns:
            return  # it answers to an observation from before a reset
        self.steps += 1
        self._rows_since = round((self._newest_ns - chunk.stamp_ns) / chunk.period_ns)
        start_ns = chunk.stamp_ns if self._asked_ns is None else self._asked_ns
        self._plan = (
            chunk
            if self._plan is None or start_ns > end_ns(self._plan)
            else splice(self._plan, chunk, start_ns, self._blend_ns)
        )

    def refuse(self, reason: str) -> None:
        """Counts an observation that could not be answered, with the reason."""
        self.refused += 1
        self._reason = reason

    def targets(self, now_ns: int) -> JointTargets | None:
        """What the joints should do now, or None: go quiet and let the gate hold.

        Args:
            now_ns: The time, on the clock of the rows' stamps [ns].

        Returns:
            Interpolated targets with their velocity, stamped with the newest observation's
            capture time; None when there are none, they have run out, or the newest observation
            is too old.
        """
        if self._plan is None or self._newest_ns is None:
            return None
        age_ns = now_ns - self._newest_ns
        if age_ns > self._max_age_ns:
            self._reason = f'the newest observation is {age_ns / 1e9:.2f} s old'
            return None
        if now_ns > end_ns(self._plan):
            self._reason = 'the chunk has run out before the next was there'
            return None
        if now_ns < self._plan.stamp_ns - self._max_age_ns:
            self._reason = 'the clock went back'
            return None
        position, velocity = sample(self._plan, now_ns)
        self._asked_ns = now_ns
        self._reason = ''
        return JointTargets(
            stamp_ns=self._newest_ns, source=SOURCE, position=position, velocity=velocity
        )


def end_ns(chunk: ActionChunk) -> int:
    """Time of a chunk's last action [ns]."""
    return chunk.stamp_ns + (len(chunk.position) - 1) * chunk.period_ns


def sample(
    chunk: ActionChunk, time_ns: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Interpolates a chunk; before its first and after its last action it stands still there.

    Args:
        chunk: The chunk.
        time_ns: When [ns].

    Returns:
        Position [rad] and velocity [rad/s], shape (28,) each.
    """
    last = len(chunk.position) - 1
    place = (time_ns - chunk.stamp_ns) / chunk.period_ns
    if place <= 0.0 or place >= last:
        position = chunk.position[0 if place <= 0.0 else last]
        return position.copy(), np.zeros_like(position)
    index = int(place)
    before, after = chunk.position[index], chunk.position[index + 1]
    return before + (place - index) * (after - before), (after - before) / (chunk.period_ns / 1e9)


def splice(old: ActionChunk, new: ActionChunk, start_ns: int, blend_ns: int) -> ActionChunk:
    """Lets a new chunk take over from an old one without a jump.

    Up to start_ns the result is the old chunk, from start_ns + blend_ns on the new one, between
    them a linear blend of both at equal times.

    Args:
        old: What is being executed.
        new: What is to be executed.
        start_ns: Time up to which the old one has been executed [ns].
        blend_ns: How long the take-over lasts [ns].

    Returns:
        A chunk with the new one's times.
    """
    times = new.stamp_ns + np.arange(len(new.position)) * new.period_ns
    weight = np.clip((times - start_ns) / max(blend_ns, 1), 0.0, 1.0)[:, None]
    held = np.stack([sample(old, int(time))[0] for time in times])
    return ActionChunk(
        stamp_ns=new.stamp_ns,
        period_ns=new.period_ns,
        position=(1.0 - weight) * held + weight * new.position,
    )
