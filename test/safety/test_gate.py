# SPDX-License-Identifier: Apache-2.0
"""States of the gate, and what it does about bad inputs, a bad robot and bad luck."""

from __future__ import annotations

import numpy as np
import pytest
from gate_bench import REST, Bench, robot_state

from g1_il.errors import ConfigError
from g1_il.robot.joints import COMMAND_INDEX, JOINT_INDEX
from g1_il.safety.config import GateConfig
from g1_il.safety.gate import Gate
from g1_il.safety.limits import make_limits
from g1_il.safety.report import GateState

CONFIG = GateConfig(arming_s=0.2)
LIMITS = make_limits(CONFIG)
NEAR = REST + np.where(np.arange(28) < 14, 0.1, 0.0)
ELBOW = JOINT_INDEX['right_elbow_joint']


def biggest_step(bench: Bench, since: int = 0) -> float:
    sent = [c.position[COMMAND_INDEX] for c in bench.commands[since:] if c is not None]
    return float(np.abs(np.diff(sent, axis=0)).max())


def test_disarmed_says_nothing():
    bench = Bench()
    bench.run(0.1)
    assert bench.commands == [None] * len(bench.commands)
    assert bench.state is GateState.DISARMED


def test_arming_ramps_the_weight_and_commands_the_measured_pose():
    bench = Bench()
    bench.gate.arm(bench.now_ns)
    bench.run(0.3)
    sent = [command for command in bench.commands if command is not None]
    weights = [command.weight for command in sent]
    assert weights[0] <= 0.021 and weights[-1] == 1.0
    assert max(np.diff(weights)) <= 0.021
    for command in sent:
        np.testing.assert_array_equal(command.position[COMMAND_INDEX], REST)
    assert bench.state is GateState.HOLD


def test_arming_takes_a_pose_beyond_the_soft_limits_as_it_is():
    bench = Bench()
    bench.position[ELBOW] = 2.0944
    bench.step()
    bench.arm()
    assert bench.commands[-1].position[ELBOW] == pytest.approx(2.0944)


def test_legs_and_waist_get_no_gains():
    bench = Bench()
    bench.arm()
    command = bench.commands[-1]
    assert not command.kp[:15].any() and not command.kd[:15].any()
    assert (command.kp[15:] > 0.0).all()
    held = Bench(GateConfig(arming_s=0.2, hold_waist=True))
    held.arm()
    assert (held.commands[-1].kp[12:15] > 0.0).all() and not held.commands[-1].kp[:12].any()


def test_a_robot_without_hands_is_never_sent_hand_commands():
    bench = Bench(GateConfig(arming_s=0.2, hands=False))
    nothing = dict(left_hand_stamp_ns=-1, right_hand_stamp_ns=-1)
    bench.position[29:] = np.nan
    bench.run(0.02, **nothing)
    bench.gate.arm(bench.now_ns)
    bench.run(0.3, **nothing)
    command = bench.commands[-1]
    assert command.weight == 1.0 and not command.hands_enabled
    assert not command.kp[29:].any() and np.isfinite(command.position).all()


@pytest.mark.parametrize(
    ('changes', 'word'),
    [
        (dict(orientation_wxyz=np.zeros(4)), 'norm'),
        (dict(left_hand_stamp_ns=-1), 'left hand'),
        (dict(right_hand_stamp_ns=-1), 'right hand'),
        (dict(velocity=np.full(43, 2.0)), 'still'),
        (dict(angular_velocity=np.array([0.0, 7.0, 0.0])), 'pelvis turns'),
        (dict(orientation_wxyz=np.array([np.cos(0.6), np.sin(0.6), 0.0, 0.0])), 'tilted'),
        (dict(winding_temperature=np.full(29, 130.0)), 'winding'),
        (dict(casing_temperature=np.full(29, 90.0)), 'casing'),
    ],
)
def test_arming_is_refused_on_an_implausible_state(changes: dict, word: str):
    gate = Gate(CONFIG)
    gate.step(0, robot_state(1, **changes))
    done, message = gate.arm(0)
    assert not done and word in message and gate.status.reason == message


def test_arming_is_refused_with_an_impossible_joint():
    gate = Gate(CONFIG)
    position = robot_state(1).position
    position[ELBOW] = 2.6
    gate.step(0, robot_state(1, position))
    done, message = gate.arm(0)
    assert not done and 'right_elbow_joint reads 2.60 rad' in message


def test_arming_is_refused_without_a_state_with_nan_and_with_an_old_one():
    gate = Gate(CONFIG)
    assert 'no robot state' in gate.arm(0)[1]
    gate.step(0, robot_state(1, np.full(43, np.nan)))
    assert 'no robot state' in gate.arm(0)[1]
    gate.step(0, robot_state(2))
    gate.step(60_000_000, robot_state(2))
    done, message = gate.arm(60_000_000)
    assert not done and 'fresh' in message


def test_follows_the_selected_source_and_nobody_else():
    bench = Bench()
    bench.arm('policy')
    bench.follow(NEAR, 0.5)
    assert bench.state is GateState.HOLD
    np.testing.assert_allclose(bench.commanded, REST)
    bench.gate.select_source('teleop', bench.now_ns)
    bench.follow(NEAR, 1.5)
    assert bench.state is GateState.ACTIVE and bench.gate.status.source == 'teleop'
    np.testing.assert_allclose(bench.commanded, NEAR, atol=1e-3)
    assert sum(bench.counts.values()) == 0, bench.counts


def test_select_source_refuses_strangers():
    bench = Bench()
    bench.arm()
    done, message = bench.gate.select_source('console', bench.now_ns)
    assert not done and "'console'" in message and 'teleop' in message


def test_switching_sources_does_not_jump():
    bench = Bench()
    bench.arm('teleop')
    bench.follow(NEAR, 1.0)
    since = len(bench.commands)
    bench.gate.select_source('policy', bench.now_ns)
    far = REST - np.where(np.arange(28) < 14, 0.4, 0.0)
    bench.follow(np.clip(far, LIMITS.lower, LIMITS.upper), 1.5, source='policy')
    sent = [command.position[COMMAND_INDEX] for command in bench.commands[since - 2 :]]
    velocity = np.diff(sent, axis=0) / 0.004
    change = np.abs(np.diff(velocity, axis=0)).max(axis=0)
    assert (change <= LIMITS.acceleration * 0.004 + 1e-6).all()
    assert np.abs(velocity[:5]).max() < 0.8, 'blends in instead of leaping off'
    np.testing.assert_allclose(
        bench.commanded[:14], np.clip(far, LIMITS.lower, LIMITS.upper)[:14], atol=2e-3
    )


def test_a_source_that_wants_to_be_far_away_is_approached_slowly():
    bench = Bench()
    bench.arm('teleop')
    first = len(bench.commands)
    far = REST.copy()
    far[0] -= 1.2
    bench.follow(far, 3.0)
    assert biggest_step(bench, first) / (CONFIG.period_ns * 1e-9) < 1.05
    np.testing.assert_allclose(bench.commanded, far, atol=2e-3)


def test_silence_holds_then_lets_go():
    bench = Bench()
    bench.arm('teleop')
    bench.follow(NEAR, 1.0)
    bench.run(0.16)
    assert bench.state is GateState.HOLD and bench.gate.status.source == 'teleop'
    held = bench.commanded
    bench.follow(NEAR, 0.1)
    assert bench.state is GateState.ACTIVE, 'a short silence is forgiven'
    bench.run(0.6)
    assert bench.state is GateState.HOLD and bench.gate.status.source == ''
    assert 'silent' in bench.gate.status.reason and bench.counts['disengaged'] == 1
    bench.follow(NEAR + 0.1, 0.2)
    assert bench.state is GateState.HOLD, 'a long one asks for a new selection'
    np.testing.assert_allclose(bench.commanded, held, atol=5e-3)


@pytest.mark.parametrize(
    ('changes', 'kind'),
    [
        (dict(position=np.full(28, np.nan)), 'not_finite'),
        (dict(velocity=np.full(28, np.inf)), 'not_finite'),
        (dict(position=np.zeros(27)), 'wrong_length'),
        (dict(position=np.zeros((28, 1))), 'wrong_length'),
        (dict(velocity=np.zeros(0)), 'wrong_length'),
        (dict(stamp_ns=5), 'stamp_backwards'),
    ],
)
def test_unfit_targets_are_refused_as_a_whole_and_counted(changes: dict, kind: str):
    bench = Bench()
    bench.arm('teleop')
    bench.follow(NEAR, 1.0)
    position = changes.get('position', NEAR + 0.5)
    rest = {key: value for key, value in changes.items() if key != 'position'}
    bench.follow(position, 0.12, **rest)
    assert bench.counts[kind] == 8
    np.testing.assert_allclose(bench.commanded, NEAR, atol=1e-3)
    bench.run(0.05)
    assert bench.state is GateState.HOLD, 'refused targets do not keep a source alive'


def test_targets_beyond_the_limits_are_clipped_and_counted():
    bench = Bench()
    bench.arm('teleop')
    beyond = NEAR.copy()
    beyond[3] = 3.0  # left elbow
    bench.follow(beyond, 5.0)
    assert bench.commanded[3] == pytest.approx(LIMITS.upper[3], abs=1e-3)
    assert bench.counts['position_limit'] > 500
    assert biggest_step(bench) <= 6.0 * 0.004 + 1e-9


def test_a_blocked_arm_is_not_pressed_harder_than_its_lead():
    bench = Bench()
    bench.arm('teleop')
    bench.frozen = True
    bench.velocity = np.zeros(43)
    bench.follow(np.clip(REST + 1.0, LIMITS.lower, LIMITS.upper), 1.5)
    lead = np.abs(bench.commanded - bench.position[COMMAND_INDEX])
    assert (lead <= LIMITS.lead + 1e-6).all()
    assert bench.counts['tracking_error'] > 100


def test_a_human_pick_and_place_is_not_hindered():
    """Minimum-jerk motions of 0.8 rad in 0.9 s: the fastest of a 6.7 s episode."""
    bench = Bench()
    bench.arm('teleop')
    bench.follow(REST, 0.6)
    worst = 0.0
    for index in range(450):
        share = min(index / 225, 1.0)
        eased = share**3 * (10.0 - 15.0 * share + 6.0 * share**2)
        moved = np.where(np.arange(28) < 14, 0.4, 0.0)
        target = np.clip(REST + eased * moved, LIMITS.lower, LIMITS.upper)
        if index % 4 == 0:
            bench.gate.offer(bench.targets(target), bench.now_ns)
        bench.step()
        worst = max(worst, np.abs(target - bench.commanded).max())
    assert sum(bench.counts.values()) == 0, bench.counts
    assert worst < 0.03, 'follows within two and a half frames'


def test_estop_damps_lets_the_hands_go_and_keeps_the_weight():
    bench = Bench()
    bench.arm('teleop')
    bench.follow(NEAR, 0.5)
    bench.gate.estop(bench.now_ns)
    command = bench.step()
    assert bench.state is GateState.FAULT and bench.counts['fault'] == 1
    assert not command.kp.any() and not command.effort.any() and not command.velocity.any()
    assert (command.kd[15:29] > 0.0).all() and command.weight == 1.0
    assert not command.hands_enabled
    bench.follow(NEAR, 1.0)
    assert bench.state is GateState.FAULT
    assert not bench.gate.arm(bench.now_ns)[0]
    assert not bench.gate.disarm(bench.now_ns)[0]
    assert not bench.gate.select_source('teleop', bench.now_ns)[0]


def test_reset_ramps_out_where_the_arms_have_sunk_to():
    bench = Bench()
    bench.arm('teleop')
    bench.follow(NEAR, 1.0)
    bench.gate.estop(bench.now_ns)
    bench.run(0.1)
    bench.position[COMMAND_INDEX[:14]] -= 0.2
    bench.velocity = np.zeros(43)
    sunk = bench.position[COMMAND_INDEX].copy()
    bench.step()
    assert bench.gate.reset(bench.now_ns)[0]
    since = len(bench.commands)
    bench.run(2.0)
    assert bench.state is GateState.DISARMED and bench.gate.status.weight == 0.0
    sent = [command for command in bench.commands[since:] if command is not None]
    assert np.abs(sent[0].position[COMMAND_INDEX] - sunk).max() < 1e-6
    weights = [1.0] + [command.weight for command in sent]
    assert min(np.diff(weights)) >= -0.004 / CONFIG.release_ramp_s - 1e-9
    assert weights[-1] == 0.0


def test_arms_that_a_dead_bridge_holds_are_left_alone_until_reset_ramps_them_out():
    bench = Bench()
    bench.gate = Gate(CONFIG, left_held=True)
    bench.position[COMMAND_INDEX] = NEAR
    bench.run(0.1)
    assert bench.state is GateState.FAULT and bench.gate.status.weight == 1.0
    assert not any(bench.commands), 'it says nothing of its own accord'
    assert not bench.gate.arm(bench.now_ns)[0]
    assert bench.gate.reset(bench.now_ns)[0]
    since = len(bench.commands)
    bench.run(2.0)
    sent = [command for command in bench.commands[since:] if command is not None]
    weights = [1.0] + [command.weight for command in sent]
    assert min(np.diff(weights)) >= -0.004 / CONFIG.release_ramp_s - 1e-9 and weights[-1] == 0.0
    np.testing.assert_allclose(sent[0].position[COMMAND_INDEX], NEAR, atol=1e-9)
    assert not any(command.hands_enabled for command in sent)
    assert bench.state is GateState.DISARMED
    bench.arm()
    assert bench.commands[-1].hands_enabled


def test_arms_that_a_dead_bridge_holds_can_be_stopped_and_left():
    stopped = Bench()
    stopped.gate = Gate(CONFIG, left_held=True)
    stopped.gate.estop(stopped.now_ns)
    stopped.step()
    stopped.gate.estop(stopped.now_ns)
    command = stopped.step()
    assert command.weight == 1.0 and not command.kp.any() and command.kd[15:29].all()
    left = Bench()
    left.gate = Gate(CONFIG, left_held=True)
    left.gate.shut_down(left.now_ns)
    assert left.state is GateState.DISARMED and left.step() is None


def test_estop_while_disarmed_needs_a_reset_but_moves_nothing():
    bench = Bench()
    bench.gate.estop(bench.now_ns)
    bench.run(0.1)
    assert bench.commands[-1] is None and not bench.gate.arm(bench.now_ns)[0]
    assert bench.gate.reset(bench.now_ns)[0] and bench.state is GateState.DISARMED


def test_release_goes_to_rest_slowly_then_ramps_out():
    bench = Bench()
    bench.arm('teleop')
    bench.follow(NEAR, 1.0)
    since = len(bench.commands)
    bench.gate.disarm(bench.now_ns)
    bench.run(3.7)
    assert bench.state is GateState.DISARMED
    sent = [command for command in bench.commands[since:] if command is not None]
    first_fall = next(index for index, command in enumerate(sent) if command.weight < 1.0)
    np.testing.assert_allclose(sent[first_fall].position[COMMAND_INDEX], REST, atol=0.011)
    assert biggest_step(bench, since) <= CONFIG.release_velocity_rad_s * 0.004 + 1e-9
    assert [c.weight for c in sent[-10:]] == [0.0] * 10
    assert not sent[-1].hands_enabled and sent[first_fall].hands_enabled


def test_release_from_far_away_still_ends_in_time():
    bench = Bench()
    bench.arm('teleop')
    far = np.clip(REST + np.where(np.arange(28) < 14, -1.9, 0.0), LIMITS.lower, LIMITS.upper)
    bench.follow(far, 3.0)
    bench.gate.shut_down(bench.now_ns)
    bench.run(3.8)
    assert bench.state is GateState.DISARMED
    weights = [command.weight for command in bench.commands if command is not None]
    assert min(np.diff(weights)) >= -0.004 / CONFIG.release_ramp_s - 1e-9


def test_release_ends_in_time_on_a_machine_that_misses_every_second_step():
    bench = Bench()
    bench.arm('teleop')
    bench.follow(REST + np.where(np.arange(28) < 14, 0.6, 0.0), 2.0)
    began_ns = bench.now_ns
    bench.gate.shut_down(began_ns)
    weights = []
    while bench.state is not GateState.DISARMED:
        bench.now_ns += CONFIG.period_ns
        weights.append(bench.step().weight)
    assert (bench.now_ns - began_ns) * 1e-9 < 3.9
    assert np.abs(np.diff(weights)).max() < 0.01, 'a ramp, not a leap'
    assert weights[-1] == 0.0


def test_shut_down_in_fault_ramps_out_damped():
    bench = Bench()
    bench.arm('teleop')
    bench.gate.estop(bench.now_ns)
    bench.step()
    bench.gate.shut_down(bench.now_ns)
    since = len(bench.commands)
    bench.run(1.5)
    assert bench.state is GateState.DISARMED
    sent = [command for command in bench.commands[since:] if command is not None]
    assert sent[-1].weight == 0.0 and not any(command.kp.any() for command in sent)


def test_a_silent_robot_is_held_then_damped():
    bench = Bench()
    bench.arm('teleop')
    bench.follow(NEAR, 1.0)
    for index in range(30):
        if index % 4 == 0:
            bench.gate.offer(bench.targets(NEAR + 0.3), bench.now_ns)
        bench.step(fresh=False)
    assert bench.counts['stale_state'] > 0
    assert bench.state is GateState.ACTIVE
    last = bench.commanded
    bench.run(0.1, fresh=False)
    np.testing.assert_array_equal(bench.commanded, last)
    bench.run(1.0, fresh=False)
    assert bench.state is GateState.FAULT and 'no robot state' in bench.gate.status.reason
    assert not bench.commands[-1].kp.any() and bench.commands[-1].weight == 1.0
    assert not bench.gate.reset(bench.now_ns)[0]
    bench.step()
    assert bench.gate.reset(bench.now_ns)[0]


def test_a_hand_that_reads_nan_stays_where_it_is():
    bench = Bench()
    bench.arm('teleop')
    bench.position[29:36] = np.nan
    bench.follow(NEAR, 0.1)
    assert bench.counts['stale_hand'] == 25
    assert np.isfinite(bench.commanded).all()
    np.testing.assert_array_equal(bench.commanded[14:21], REST[14:21])


def test_a_silent_hand_stays_where_it_is():
    bench = Bench()
    bench.arm('teleop')
    closed = np.clip(NEAR + np.where(np.arange(28) >= 14, 0.5, 0.0), LIMITS.lower, LIMITS.upper)
    stamp_ns = bench.now_ns
    for index in range(400):
        if index % 4 == 0:
            bench.gate.offer(bench.targets(closed), bench.now_ns)
        bench.step(left_hand_stamp_ns=stamp_ns)
        if index == 65:
            held = bench.commanded[14:21].copy()
    assert bench.counts['stale_hand'] > 300
    np.testing.assert_allclose(bench.commanded[14:21], held, atol=0.03)
    np.testing.assert_allclose(bench.commanded[21:], closed[21:], atol=1e-3)


@pytest.mark.parametrize(
    'changes',
    [
        dict(angular_velocity=np.array([6.5, 0.0, 0.0])),
        dict(velocity=np.where(np.arange(43) == 20, 11.0, 0.0)),
        dict(orientation_wxyz=np.array([np.cos(0.55), 0.0, np.sin(0.55), 0.0])),
        dict(winding_temperature=np.full(29, 121.0)),
    ],
)
def test_an_ill_robot_is_a_fault(changes: dict):
    bench = Bench()
    bench.arm('teleop')
    bench.step(**changes)
    assert bench.state is GateState.FAULT and bench.gate.status.reason
    assert not bench.gate.reset(bench.now_ns)[0]


def test_unknown_temperatures_are_no_fault():
    bench = Bench()
    bench.arm('teleop')
    bench.step(winding_temperature=np.full(29, np.nan))
    assert bench.state is GateState.HOLD


def test_clock_of_the_stamps_may_jump_back():
    """Stamps are of the wall clock, which may be set; ages are counted on the gate's own."""
    bench = Bench()
    bench.arm()
    for index in range(50):
        bench.step(stamp_ns=1000 + index)
    assert bench.counts['stale_state'] == 0


@pytest.mark.parametrize(
    ('changes', 'word'),
    [
        (dict(control_rate_hz=0.0), 'control_rate_hz'),
        (dict(arming_s=float('nan')), 'arming_s'),
        (dict(disengage_after_s=0.1), 'disengage_after_s'),
        (dict(release_move_s=3.0), 'release'),
        (dict(effort_share=1.5), 'effort_share'),
        (dict(arm_margin_rad=-0.1), 'arm_margin_rad'),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict, word: str):
    with pytest.raises(ConfigError, match=word):
        GateConfig(**changes)
