# SPDX-License-Identifier: Apache-2.0
"""Judges an episode from its own stamps and values: a verdict, with reasons and numbers.

Judged before conversion, since a dataset's time stamps are made up from the frame number and hide
every gap. FAIL is not converted; WARN is, and stays flagged. Smoothness and idleness are numbers,
not verdicts: they go with skill, and prove nothing.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from g1_il.episodes.card import EpisodeCard
from g1_il.episodes.streams import EpisodeStreams, Samples, TopicTimes
from g1_il.errors import ConfigError
from g1_il.robot.joints import ALL_JOINTS, COMMAND_INDEX, COMMAND_JOINTS, LOWER, UPPER

PASS, WARN, FAIL = 'PASS', 'WARN', 'FAIL'
_LEVELS = (PASS, WARN, FAIL)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckConfig:
    """Where a number becomes a reason."""

    fps: int = field(default=30, metadata={'description': 'declared rate of the cameras [Hz]'})
    rate_tolerance: float = field(
        default=0.01, metadata={'description': 'share by which a camera may differ from fps'}
    )
    frame_limit_s: float = field(
        default=0.3, metadata={'description': 'longest gap of a camera or the scene [s]'}
    )
    joint_limit_s: float = field(
        default=0.2, metadata={'description': 'longest gap of joints and commands [s]'}
    )
    min_duration_s: float = field(
        default=1.0, metadata={'description': 'shortest episode that is of use [s]'}
    )
    max_idle_s: float = field(
        default=2.0, metadata={'description': 'longest stand-still at either end [s]'}
    )
    idle_speed_rad_s: float = field(
        default=0.02, metadata={'description': 'commanded speed below which a joint rests [rad/s]'}
    )
    clock_limit_s: float = field(
        default=1.0, metadata={'description': 'median of receipt minus stamp that is a fault [s]'}
    )
    frozen_frames: int = field(
        default=5, metadata={'description': 'equal pictures in a row that are a frozen camera'}
    )

    def __post_init__(self) -> None:
        if self.fps < 1:
            raise ConfigError(f'fps is {self.fps}; it must be at least 1')


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A reason.

    Attributes:
        level: WARN or FAIL.
        check: What was looked at.
        text: What was found.
    """

    level: str
    check: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeReport:
    """What is to be said of an episode.

    Attributes:
        episode_id: Its id.
        outcome: What the operator said.
        verdict: PASS, WARN or FAIL: the worst of the findings.
        findings: The reasons.
        numbers: What was measured: duration_s, rates_hz, idle_head_s, ...
    """

    episode_id: str
    outcome: str
    findings: tuple[Finding, ...]
    numbers: dict[str, Any]

    @property
    def verdict(self) -> str:
        """The worst of the findings."""
        return max((f.level for f in self.findings), key=_LEVELS.index, default=PASS)

    @property
    def failures(self) -> tuple[Finding, ...]:
        """Reasons not to convert it, other than the operator's word."""
        return tuple(f for f in self.findings if f.level == FAIL and f.check != 'outcome')


def check_episode(
    card: EpisodeCard, streams: EpisodeStreams, config: CheckConfig | None = None
) -> EpisodeReport:
    """Judges one episode.

    Args:
        card: Its card.
        streams: What was recorded.
        config: Thresholds; defaults when None.
    """
    config = config or CheckConfig()
    numbers: dict[str, Any] = {'duration_s': card.duration_s}
    findings: list[Finding] = []
    for check in (_check_card, _check_presence, _check_timing, _check_motion, _check_pictures):
        findings += check(card, streams, config, numbers)
    return EpisodeReport(
        episode_id=card.episode_id,
        outcome=card.outcome,
        findings=tuple(findings),
        numbers=numbers,
    )


def moving_span(samples: Samples, speed_rad_s: float) -> tuple[int, int]:
    """Stamps between which the commands move; equal ones when they never do [ns].

    Args:
        samples: Commanded positions [rad].
        speed_rad_s: Speed below which a joint rests [rad/s].
    """
    if len(samples.stamp_ns) < 2:
        return 0, 0
    seconds = np.maximum(np.diff(samples.stamp_ns), 1)[:, None] / 1e9
    speed = np.abs(np.diff(samples.values, axis=0) / seconds).max(axis=1)
    moving = np.flatnonzero(speed > speed_rad_s)
    if not len(moving):
        return int(samples.stamp_ns[0]), int(samples.stamp_ns[0])
    return int(samples.stamp_ns[moving[0]]), int(samples.stamp_ns[moving[-1] + 1])


def frame_rate_hz(stamp_ns: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Rate of a camera between its gaps, and how exactly it is known.

    Intervals far from the median are left out on both sides: after a late frame the next one
    seems early, so that leaving out only the long ones would make every camera too fast.

    Returns:
        Rate [Hz], NaN below two frames; its standard error as a share of it.
    """
    steps = np.diff(stamp_ns)
    steps = steps[steps > 0]
    if not len(steps):
        return math.nan, math.nan
    share = steps / np.median(steps)
    regular = steps[(share > 0.5) & (share < 1.5)]
    return float(1e9 / regular.mean()), float(regular.std() / regular.mean() / len(regular) ** 0.5)


def _check_card(
    card: EpisodeCard, streams: EpisodeStreams, config: CheckConfig, numbers: dict[str, Any]
) -> Iterator[Finding]:
    if card.outcome == 'failure':
        yield Finding(level=FAIL, check='outcome', text='the operator says failure')
    elif card.outcome != 'success':
        yield Finding(level=WARN, check='outcome', text='nobody said how it ended')
    if card.outcome == 'success' and streams.scene_success is False:
        yield Finding(
            level=WARN, check='outcome', text='the operator says success, the scene does not'
        )
    if card.recovered:
        yield Finding(level=WARN, check='recovered', text='rescued from a killed recorder')
    dropped = {name: t.dropped for name, t in card.topics.items() if t.dropped}
    for name, count in dropped.items():
        yield Finding(level=WARN, check='dropped', text=f'{name}: {count} messages lost')
    numbers['dropped'] = sum(dropped.values())
    if card.duration_s < config.min_duration_s:
        yield Finding(
            level=FAIL,
            check='duration',
            text=f'{card.duration_s:.2f} s is shorter than {config.min_duration_s} s',
        )


def _check_presence(
    card: EpisodeCard, streams: EpisodeStreams, config: CheckConfig, numbers: dict[str, Any]
) -> Iterator[Finding]:
    if streams.joints is None:
        yield Finding(level=FAIL, check='topics', text='there is no joint_states')
    if streams.commands is None:
        yield Finding(level=FAIL, check='topics', text='there is no executed_command')
    if not streams.images:
        # A scene can pace the rows as well, for policies that look at nothing else.
        level = FAIL if streams.scene_success is None else WARN
        yield Finding(level=level, check='topics', text='there is no camera')
    for name, (count, why) in streams.unreadable.items():
        text = f'{name}: {count} messages cannot be read: {why}'
        yield Finding(level=FAIL, check='messages', text=text)
    for samples, names in (
        (streams.joints, np.array(ALL_JOINTS)),
        (streams.commands, np.array(COMMAND_JOINTS)),
    ):
        if samples is None:
            continue
        bad = ~np.isfinite(samples.values)
        if names[0] == ALL_JOINTS[0]:
            bad = bad[:, COMMAND_INDEX]
            names = names[COMMAND_INDEX]
        if bad.any():
            joints = ', '.join(names[bad.any(axis=0)][:3])
            rows = int(bad.any(axis=1).sum())
            text = f'{rows} samples are not finite, of {joints}'
            yield Finding(level=FAIL, check='finite', text=text)


def _check_timing(
    card: EpisodeCard, streams: EpisodeStreams, config: CheckConfig, numbers: dict[str, Any]
) -> Iterator[Finding]:
    rates = numbers['rates_hz'] = {}
    lateness = numbers['lateness_p99_ms'] = {}
    for name, times in sorted(streams.topics.items()):
        rates[name] = round(frame_rate_hz(times.stamp_ns)[0], 3)
        late = (times.receive_ns - times.stamp_ns) / 1e6
        lateness[name] = round(float(np.percentile(late, 99)), 3)
        limit_s = _gap_limit_s(name, times, config)
        if limit_s is None:
            continue
        if (times.stamp_ns <= 0).any():
            yield Finding(level=FAIL, check='clock', text=f'{name}: stamps of zero')
        if abs(float(np.median(late))) > config.clock_limit_s * 1e3:
            text = f'{name}: received {np.median(late) / 1e3:.3f} s after its stamp (median)'
            yield Finding(level=FAIL, check='clock', text=text)
        yield from _check_gaps(name, times, limit_s)
    for camera, stamp_ns in streams.image_stamps.items():
        rate, error = frame_rate_hz(stamp_ns)
        if not abs(rate / config.fps - 1) <= max(config.rate_tolerance, 3 * error):
            text = f'{camera}: {rate:.2f} Hz where {config.fps} are declared; give --fps'
            yield Finding(level=FAIL, check='rate', text=text)


def _check_gaps(name: str, times: TopicTimes, limit_s: float) -> Iterator[Finding]:
    steps = np.diff(times.stamp_ns) / 1e9
    if not len(steps):
        return
    if (steps < 0).any():
        yield Finding(level=FAIL, check='clock', text=f'{name}: stamps go back in time')
    longest, place = float(steps.max()), int(steps.argmax())
    at_s = (times.stamp_ns[place] - times.stamp_ns[0]) / 1e9
    if longest > limit_s:
        text = f'{name}: nothing for {longest * 1e3:.0f} ms at {at_s:.2f} s'
        yield Finding(level=FAIL, check='gap', text=text)
        return
    gaps = int((steps > 1.5 * np.median(steps)).sum())
    if gaps > max(1, 0.01 * len(steps)):
        text = f'{name}: {gaps} gaps, the longest {longest * 1e3:.0f} ms at {at_s:.2f} s'
        yield Finding(level=WARN, check='gap', text=text)


def _gap_limit_s(name: str, times: TopicTimes, config: CheckConfig) -> float | None:
    """Longest gap of a topic that becomes a stream; None for others."""
    last = name.rpartition('/')[2]
    if last in ('joint_states', 'executed_command'):
        return config.joint_limit_s
    if times.type.endswith(('/CompressedImage', '/SceneState')):
        return config.frame_limit_s
    return None


def _check_motion(
    card: EpisodeCard, streams: EpisodeStreams, config: CheckConfig, numbers: dict[str, Any]
) -> Iterator[Finding]:
    if streams.commands is not None and len(streams.commands.stamp_ns) > 1:
        stamps = streams.commands.stamp_ns
        first, last = moving_span(streams.commands, config.idle_speed_rad_s)
        head, tail = (first - stamps[0]) / 1e9, (stamps[-1] - last) / 1e9
        if first == last:
            yield Finding(level=FAIL, check='idle', text='nothing was commanded to move')
        else:
            numbers |= {'idle_head_s': round(head, 3), 'idle_tail_s': round(tail, 3)}
            for name, idle_s in (('before', head), ('after', tail)):
                if idle_s > config.max_idle_s:
                    text = f'{idle_s:.1f} s of standing still {name} the motion'
                    yield Finding(level=WARN, check='idle', text=text)
    if streams.joints is None or not len(streams.joints.values):
        return
    position = streams.joints.values[:, COMMAND_INDEX]
    if not np.isfinite(position).all():
        return
    if np.abs(position).max() > 2 * math.pi:
        text = f'positions up to {np.abs(position).max():.1f}: not radians'
        yield Finding(level=FAIL, check='units', text=text)
    lower, upper = LOWER[COMMAND_INDEX], UPPER[COMMAND_INDEX]
    margin = 0.02 * (upper - lower)
    arms = slice(0, 14)  # fingers close against their stops on purpose
    near = (position < lower + margin) | (position > upper - margin)
    share = near[:, arms].mean(axis=0)
    numbers['near_limit_share'] = round(float(near[:, arms].any(axis=1).mean()), 4)
    for joint in np.flatnonzero(share > 0.05):
        text = f'{COMMAND_JOINTS[joint]} is within 2 % of a limit for {share[joint]:.0%}'
        yield Finding(level=WARN, check='limits', text=text)
    if streams.commands is not None and len(streams.commands.stamp_ns):
        numbers['tracking_rms_rad'] = _tracking_rms(streams.joints, streams.commands)


def _tracking_rms(joints: Samples, commands: Samples) -> float:
    """RMS over arms of command minus position, each position against the command in force."""
    place = np.searchsorted(commands.stamp_ns, joints.stamp_ns, side='right') - 1
    known = place >= 0
    measured = joints.values[known][:, COMMAND_INDEX[:14]]
    error = commands.values[place[known], :14] - measured
    return round(float(np.sqrt((error**2).mean())), 5) if len(error) else math.nan


def _check_pictures(
    card: EpisodeCard, streams: EpisodeStreams, config: CheckConfig, numbers: dict[str, Any]
) -> Iterator[Finding]:
    repeated = numbers['repeated_frames'] = {}
    for camera, pictures in streams.images.items():
        sums = np.array([zlib.crc32(picture) for picture in pictures], dtype=np.int64)
        equal = np.flatnonzero(np.diff(sums) == 0) if len(sums) > 1 else np.empty(0, dtype=int)
        repeated[camera] = len(equal)
        moved = _moved_at(streams, streams.image_stamps[camera][equal + 1], config)
        longest = _longest_run(equal[moved])
        if longest >= config.frozen_frames:
            text = f'{camera}: {longest + 1} equal pictures in a row while the robot moves'
            yield Finding(level=WARN, check='frozen', text=text)


def _moved_at(
    streams: EpisodeStreams, stamp_ns: npt.NDArray[np.int64], config: CheckConfig
) -> npt.NDArray[np.bool_]:
    if streams.commands is None:
        return np.ones(len(stamp_ns), dtype=bool)
    first, last = moving_span(streams.commands, config.idle_speed_rad_s)
    return (stamp_ns > first) & (stamp_ns < last)


def _longest_run(places: npt.NDArray[np.int64]) -> int:
    """Longest run of consecutive numbers."""
    if not len(places):
        return 0
    runs = np.split(places, np.flatnonzero(np.diff(places) != 1) + 1)
    return max(len(run) for run in runs)
