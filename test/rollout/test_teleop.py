# SPDX-License-Identifier: Apache-2.0
"""From human hands to a can in the bin, through retargeting, gate and simulator."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from g1_il.retarget.retargeter import Retargeter
from g1_il.robot.joints import COMMAND_INDEX, LOWER, UPPER
from g1_il.rollout.rig import START_NS, Rig
from g1_il.rollout.teleop import TeleopResult, teleoperate

SEEDS = range(40, 43)


class Tape:
    """Keeps what it is told, with times."""

    def __init__(self, start_ns: int) -> None:
        self.start_ns = start_ns
        self.heard: dict[str, list[tuple[int, object]]] = {}

    def __getattr__(self, topic: str):
        return lambda *values: self.heard.setdefault(topic, []).append((values[-1], values[0]))


@pytest.fixture(scope='module')
def rig() -> Iterator[Rig]:
    made = Rig(task='pick_place')
    yield made
    made.close()


@pytest.fixture(scope='module')
def retargeter() -> Retargeter:
    return Retargeter()


@pytest.fixture(scope='module')
def taped(rig: Rig, retargeter: Retargeter) -> tuple[TeleopResult, Tape]:
    tapes: list[Tape] = []

    def record(start_ns: int) -> Tape:
        tapes.append(Tape(start_ns))
        return tapes[0]

    return teleoperate(rig, retargeter, seed=21, recorder=record), tapes[0]


def test_random_starts_succeed_at_the_first_grasp(rig: Rig, retargeter: Retargeter) -> None:
    results = [teleoperate(rig, retargeter, seed=seed) for seed in SEEDS]
    assert all(result.success for result in results), results
    assert all(result.stage == 'done' for result in results)
    assert sum(result.attempts for result in results) == len(SEEDS)
    assert all(6.0 < result.duration_s < 11.0 for result in results)


def test_an_episode_repeats_itself_whatever_ran_before(
    rig: Rig, retargeter: Retargeter, taped: tuple[TeleopResult, Tape]
) -> None:
    assert teleoperate(rig, retargeter, seed=21) == taped[0]
    other = Rig(task='pick_place')
    assert teleoperate(other, Retargeter(), seed=21) == taped[0]
    other.close()


def test_everything_is_recorded_at_its_rate(taped: tuple[TeleopResult, Tape]) -> None:
    result, tape = taped
    assert tape.start_ns > START_NS
    rates = {'frame': 60, 'targets': 60, 'state': 100, 'executed': 100, 'scene': 30, 'gate': 5}
    assert set(tape.heard) == set(rates)
    for topic, rate in rates.items():
        times = np.array([now for now, _ in tape.heard[topic]])
        assert len(times) == pytest.approx(rate * result.duration_s, abs=2)
        assert np.abs(np.diff(times) - 1e9 / rate).max() <= 1
        assert times[0] == tape.start_ns
        assert times[-1] <= result.end_ns


def test_what_is_executed_follows_what_is_wanted(taped: tuple[TeleopResult, Tape]) -> None:
    _, tape = taped
    wanted = {now: targets.position for now, targets in tape.heard['targets']}
    times = np.array(sorted(wanted))
    late = []
    for now, command in tape.heard['executed']:
        position = command.position[COMMAND_INDEX]
        assert np.all(position >= LOWER[COMMAND_INDEX] - 1e-9)
        assert np.all(position <= UPPER[COMMAND_INDEX] + 1e-9)
        if now > tape.start_ns + 1_000_000_000:
            target = wanted[int(times[np.searchsorted(times, now, side='right') - 1])]
            late.append(np.abs(position - target)[:14].max())
    assert np.quantile(late, 0.95) < 0.05
    sources = {command.weight for _, command in tape.heard['executed']}
    assert sources == {1.0}


def test_stages_come_in_order(taped: tuple[TeleopResult, Tape]) -> None:
    stages = list(dict.fromkeys(scene.stage for _, scene in taped[1].heard['scene']))
    assert stages == ['reach', 'grasp', 'lift', 'carry', 'place', 'done']


def test_pushes_displace_the_arm_but_not_the_will(
    retargeter: Retargeter, taped: tuple[TeleopResult, Tape]
) -> None:
    pushed = Rig(task='pick_place', push_rad=0.02)
    tapes: list[Tape] = []

    def record(start_ns: int) -> Tape:
        tapes.append(Tape(start_ns))
        return tapes[0]

    result = teleoperate(pushed, retargeter, seed=21, recorder=record)
    pushed.close()
    assert result.stage in ('place', 'done')

    def displaced(tape: Tape) -> float:
        pairs = zip(tape.heard['state'], tape.heard['executed'], strict=True)
        lags = [(s.position - c.position)[COMMAND_INDEX][:14] for (_, s), (_, c) in pairs]
        return float(np.std(lags[100:300]))

    def wish(tape: Tape) -> np.ndarray:
        return np.array([t.position for _, t in tape.heard['targets'][:80]])

    assert displaced(tapes[0]) > 2 * displaced(taped[1])
    assert wish(tapes[0]) == pytest.approx(wish(taped[1]), abs=1e-9)


def test_a_failure_says_how_far_it_got(
    rig: Rig, retargeter: Retargeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Retargeter.step

    def with_a_limp_hand(self: Retargeter, frame):
        targets = step(self, frame)
        position = targets.position.copy()
        position[21:] = 0.0
        return replace(targets, position=position)

    monkeypatch.setattr(Retargeter, 'step', with_a_limp_hand)
    result = teleoperate(rig, retargeter, seed=40)
    assert not result.success
    assert result.attempts == 3
    assert result.stage in ('reach', 'grasp')
