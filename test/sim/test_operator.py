# SPDX-License-Identifier: Apache-2.0
"""The scripted operator: a human's pace, a human's second try, a human's honesty."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from g1_il.errors import ConfigError
from g1_il.sim.operator import HOME, TASKS, ScriptedOperator, between, min_jerk
from g1_il.sim.scene import Scene
from g1_il.xr.frame import XrFrame

PERIOD_NS = 16_666_667
TABLE = 0.057


def scene(can: tuple[float, float, float] = (0.33, -0.22, TABLE + 0.045)) -> Scene:
    poses = np.array([[*can, 0, 0, 0, 1], [0.32, 0.05, TABLE, 0, 0, 0, 1]], dtype=float)
    return Scene(
        stamp_ns=1,
        task='pick_place',
        seed=0,
        names=('can', 'bin'),
        poses=poses,
        success=False,
        stage='reach',
    )


def grip(frame: XrFrame) -> float:
    """Thumb to index [m]."""
    return float(np.linalg.norm(frame.right.position[4] - frame.right.position[9]))


def play(operator: ScriptedOperator, obedient: bool) -> list[tuple[str, XrFrame]]:
    """Runs an episode; an obedient can follows the closed hand."""
    frames: list[tuple[str, XrFrame]] = []
    can = np.array([0.33, -0.22, TABLE + 0.045])
    held = None
    for tick in range(3000):
        frame = operator.step(1_000 + tick * PERIOD_NS, scene(tuple(can)))
        frames.append((operator.stage, frame))
        if obedient and operator.stage in ('lift', 'carry', 'place'):
            held = can - frame.right.position[0] if held is None else held
            can = frame.right.position[0] + held
        if operator.done:
            return frames
    raise AssertionError('the operator never ends')


def test_does_the_stages_in_order_once() -> None:
    frames = play(ScriptedOperator('pick_place', 0), obedient=True)
    stages = list(dict.fromkeys(stage for stage, _ in frames))
    wanted = 'reach lower close lift carry place settle open retreat watch rest'
    assert stages == wanted.split()
    assert 6.0 < len(frames) * PERIOD_NS * 1e-9 < 10.0


def test_moves_as_smoothly_as_a_hand() -> None:
    frames = play(ScriptedOperator('pick_place', 1), obedient=True)
    wrist = np.array([frame.right.position[0] for _, frame in frames])
    velocity = np.diff(wrist, axis=0) / (PERIOD_NS * 1e-9)
    assert np.linalg.norm(velocity, axis=1).max() < 1.0
    acceleration = np.diff(velocity, axis=0) / (PERIOD_NS * 1e-9)
    assert np.linalg.norm(acceleration, axis=1).max() < 8.0
    tips = np.array([frame.right.position[[4, 9, 14]] for _, frame in frames])
    assert np.abs(np.diff(tips, axis=0)).max() < 0.03


def test_begins_at_rest_where_the_robot_stands() -> None:
    operator = ScriptedOperator('pick_place', 2)
    rest = operator.rest(5)
    first = operator.step(1_000, scene())
    assert first.right.position == pytest.approx(rest.right.position)
    assert first.left.position == pytest.approx(rest.left.position)
    assert first.stamp_ns == 1_000
    assert first.head_tracked and first.left.tracked and first.right.tracked


def test_brings_the_can_and_not_the_hand_over_the_bin() -> None:
    operator = ScriptedOperator('pick_place', 3)
    frames = play(operator, obedient=True)
    lift = next(f for stage, f in frames if stage == 'lift')
    held = np.array([0.33, -0.22]) - lift.right.position[0, :2]
    last = [f for stage, f in frames if stage == 'settle'][-1]
    reached = np.linalg.norm(last.right.position[0, :2] + held - (0.32, 0.05))
    assert reached < 0.05, 'up to the turn of the hand on the way'


def test_tries_again_when_the_can_stays_where_it_is_and_gives_up() -> None:
    operator = ScriptedOperator('pick_place', 4)
    frames = play(operator, obedient=False)
    assert operator.attempts == 3
    closings = sum(
        now == 'close' != before for (before, _), (now, _) in itertools.pairwise(frames)
    )
    assert closings == 3
    opened = [grip(f) for stage, f in frames if stage == 'lower']
    assert min(opened) > 0.09, 'the hand is open whenever it comes down'


def test_closes_round_the_can_and_lets_go() -> None:
    frames = play(ScriptedOperator('pick_place', 5), obedient=True)
    assert [grip(f) for s, f in frames if s == 'lower'][-1] > 0.1
    assert max(grip(f) for s, f in frames if s == 'carry') < 0.02
    assert [grip(f) for s, f in frames if s == 'open'][-1] > 0.09


def test_seeds_differ_and_repeat() -> None:
    first, again, other = (
        np.array([f.right.position for _, f in play(ScriptedOperator('pick_place', s), True)][:90])
        for s in (6, 6, 7)
    )
    assert np.array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_left_hand_rests() -> None:
    frames = play(ScriptedOperator('pick_place', 8), obedient=True)
    assert all(np.array_equal(f.left.position, frames[0][1].left.position) for _, f in frames)


def test_a_task_it_cannot_do_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'juggle'.*" + TASKS[0]):
        ScriptedOperator('juggle', 0)


def test_a_scene_without_a_can_is_refused() -> None:
    empty = replace(scene(), names=('bin',), poses=scene().poses[1:])
    with pytest.raises(ConfigError, match="no 'can', only bin"):
        ScriptedOperator('pick_place', 0).step(1, empty)


def test_min_jerk_starts_and_ends_at_rest() -> None:
    shares = np.linspace(0.0, 1.0, 1001)
    way = np.array([min_jerk(s) for s in shares])
    assert (way[0], way[-1], min_jerk(-1.0), min_jerk(2.0)) == (0.0, 1.0, 0.0, 1.0)
    speed = np.gradient(way, shares)
    assert abs(speed[0]) < 0.01 and abs(speed[-1]) < 0.01
    assert np.all(speed >= 0)


def test_between_two_poses_turns_about_one_axis() -> None:
    left, right = HOME['left'], HOME['right']
    assert between(left, right, 0.0).rotation == pytest.approx(left.rotation)
    assert between(left, right, 1.0).rotation == pytest.approx(right.rotation)
    assert between(left, left, 0.5).position == pytest.approx(left.position)
    half = between(left, right, 0.5).rotation
    assert half @ half.T == pytest.approx(np.eye(3))
    one, two = left.rotation.T @ half, half.T @ right.rotation
    assert one == pytest.approx(two), 'halfway is halfway'
