# SPDX-License-Identifier: Apache-2.0
"""The simulated robot: own controller, commands, determinism, ground truth, pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import mujoco
import numpy as np
import pytest

from g1_il.errors import ConfigError
from g1_il.robot.command import RobotCommand
from g1_il.robot.gravity import gravity_torque
from g1_il.robot.joints import (
    ALL_JOINTS,
    EFFORT,
    JOINT_INDEX,
    KD,
    KP,
    LEFT_LEG_JOINTS,
    RIGHT_HAND_JOINTS,
    WAIST_JOINTS,
    indices,
)
from g1_il.robot.kinematics import link_poses
from g1_il.robot.poses import STANDING, posture
from g1_il.sim.simulator import PELVIS_HEIGHT_M, Simulator
from g1_il.sim.tasks.pick_place import BIN_XY_M, CAN_X_M, CAN_Y_M, TABLE_TOP_M

WANTED = posture(
    {
        'left_shoulder_pitch_joint': 0.3,
        'left_elbow_joint': -0.5,
        'left_shoulder_roll_joint': 0.3,
        'right_shoulder_pitch_joint': 0.3,
        'right_shoulder_roll_joint': -0.3,
        'right_elbow_joint': -0.7,
        'right_wrist_yaw_joint': 0.3,
        'right_hand_index_0_joint': 0.6,
    }
)


def order(position: np.ndarray = WANTED, **changes) -> RobotCommand:
    command = RobotCommand(
        position=position,
        velocity=np.zeros(43),
        effort=gravity_torque(position),
        kp=KP.copy(),
        kd=KD.copy(),
        weight=1.0,
        hands_enabled=True,
    )
    return replace(command, **changes)


@pytest.fixture(scope='module')
def shared() -> Iterator[Simulator]:
    simulator = Simulator()
    yield simulator
    simulator.close()


@pytest.fixture
def simulator(shared: Simulator) -> Simulator:
    shared.reset(0)
    return shared


def run(simulator: Simulator, command: RobotCommand | None, seconds: float, **how) -> np.ndarray:
    for _ in range(round(seconds * 1e9 / simulator.timestep_ns)):
        simulator.step(command, **how)
    return simulator.state(0).position


def test_own_controller_holds_its_pose(simulator):
    position = run(simulator, None, 0.5)
    np.testing.assert_allclose(position[:29], STANDING[:29], atol=1e-3)


def test_torso_stays_upright_while_the_arms_reach_out(simulator):
    angles = {'left_shoulder_roll_joint': 0.3, 'right_shoulder_roll_joint': -0.3}
    for side in ('left', 'right'):
        angles |= {f'{side}_shoulder_pitch_joint': -0.9, f'{side}_elbow_joint': 0.6}
    out = posture(angles)
    waist = indices(WAIST_JOINTS)
    kp, kd, effort = KP.copy(), KD.copy(), gravity_torque(out)
    kp[waist] = kd[waist] = effort[waist] = 0.0
    position = run(simulator, order(out, kp=kp, kd=kd, effort=effort), 2.0)
    np.testing.assert_allclose(position[waist], 0.0, atol=2e-3)
    ours, wanted = link_poses(position), link_poses(out)
    for side in ('left', 'right'):
        palm = f'{side}_hand_palm_link'
        assert np.linalg.norm(ours[palm][:3, 3] - wanted[palm][:3, 3]) < 0.004


def test_time_is_whole_steps_and_never_goes_back(simulator):
    before = simulator.time_ns
    run(simulator, None, 0.1)
    assert simulator.time_ns - before == 50 * 2_000_000
    simulator.reset(3)
    assert simulator.time_ns - before == 50 * 2_000_000


def test_a_command_at_full_weight_is_followed(simulator):
    position = run(simulator, order(), 2.0)
    np.testing.assert_allclose(position[12:], WANTED[12:], atol=0.01)
    ours, wanted = link_poses(position), link_poses(WANTED)
    for side in ('left', 'right'):
        palm = f'{side}_hand_palm_link'
        assert np.linalg.norm(ours[palm][:3, 3] - wanted[palm][:3, 3]) < 0.003


def test_weight_blends_with_the_own_controller(simulator):
    elbow = JOINT_INDEX['right_elbow_joint']
    reached = []
    for weight in (0.0, 0.5, 1.0):
        simulator.reset(0)
        reached.append(run(simulator, order(weight=weight), 1.5)[elbow])
    assert reached[0] == pytest.approx(STANDING[elbow], abs=2e-3)
    assert reached[2] == pytest.approx(WANTED[elbow], abs=5e-3)
    assert reached[1] == pytest.approx((reached[0] + reached[2]) / 2, abs=0.01)


def test_arm_sdk_leaves_legs_and_uncommanded_joints_to_the_own_controller(simulator):
    legs, waist = indices(LEFT_LEG_JOINTS), indices(WAIST_JOINTS)
    wanted = WANTED.copy()
    wanted[legs] = 0.3
    kp, kd, effort = KP.copy(), KD.copy(), gravity_torque(wanted)
    kp[waist] = kd[waist] = effort[waist] = 0.0
    position = run(simulator, order(wanted, kp=kp, kd=kd, effort=effort), 1.0)
    np.testing.assert_allclose(position[legs], STANDING[legs], atol=2e-3)
    np.testing.assert_allclose(position[waist], 0.0, atol=5e-3)


def test_lowcmd_owns_the_whole_body(simulator):
    wanted = WANTED.copy()
    knee = JOINT_INDEX['left_knee_joint']
    wanted[knee] = 0.4
    wanted[JOINT_INDEX['left_ankle_pitch_joint']] = -0.4
    command = order(wanted, weight=0.0, effort=np.zeros(43))
    position = run(simulator, command, 1.0, full_body=True)
    assert position[knee] == pytest.approx(0.4, abs=0.02)


def test_a_hand_let_go_is_limp_and_an_enabled_one_is_not(simulator):
    hand = indices(RIGHT_HAND_JOINTS)
    enabled = run(simulator, order(), 1.0)
    efforts = simulator.state(0).effort[hand]
    assert enabled[hand[5]] == pytest.approx(0.6, abs=0.1)
    assert np.abs(efforts).max() > 0.01
    run(simulator, order(hands_enabled=False), 0.2)
    assert np.abs(simulator.state(0).effort[hand]).max() == 0.0


def test_torques_never_exceed_the_motors_limits(simulator):
    far = order(np.where(WANTED > 0, -1.0, 1.0), kp=KP * 50)
    for _ in range(100):
        simulator.step(far)
        assert np.all(np.abs(simulator.state(0).effort) <= EFFORT + 1e-9)


def test_reset_is_deterministic_to_the_last_bit():
    ends = []
    for warm_up in (0, 37):
        simulator = Simulator()
        run(simulator, order(), 0.002 * warm_up)
        simulator.reset(11)
        run(simulator, order(), 0.3)
        ends.append(simulator.snapshot())
    np.testing.assert_array_equal(ends[0], ends[1])


def test_seeds_fill_the_area_and_nothing_but_the_area(simulator):
    cans = []
    for seed in range(200):
        simulator.reset(seed)
        cans.append(simulator.scene(0).poses[0, :3])
    cans = np.array(cans)
    for axis, (low, high) in enumerate((CAN_X_M, CAN_Y_M)):
        assert low <= cans[:, axis].min() < low + 0.01
        assert high - 0.01 < cans[:, axis].max() <= high
    assert len(np.unique(cans, axis=0)) == 200
    with pytest.raises(ConfigError, match='-1'):
        simulator.reset(-1)


def test_reset_can_leave_the_robot_where_it_is(simulator):
    position = run(simulator, order(), 1.0)
    can = simulator.scene(0).poses[0, :2].copy()
    simulator.reset(5, robot=False)
    np.testing.assert_array_equal(simulator.state(0).position, position)
    assert np.linalg.norm(simulator.scene(0).poses[0, :2] - can) > 0.005


def test_scene_is_in_the_pelvis_frame(simulator):
    scene = simulator.scene(42)
    assert scene.names == ('can', 'bin')
    assert (scene.stamp_ns, scene.seed, scene.task) == (42, 0, 'pick_place')
    assert (scene.success, scene.stage) == (False, 'reach')
    table = TABLE_TOP_M - PELVIS_HEIGHT_M
    assert scene.poses[0, 2] == pytest.approx(table + 0.045, abs=1e-6)
    np.testing.assert_allclose(scene.poses[1], [*BIN_XY_M, table, 0, 0, 0, 1], atol=1e-9)


def test_unknown_task_and_bad_step_are_named():
    with pytest.raises(ConfigError, match=r'juggle.*pick_place'):
        Simulator(task='juggle')
    with pytest.raises(ConfigError, match='timestep_s 0'):
        Simulator(timestep_s=0.02)


def test_robot_alone_and_robot_in_scene_have_the_same_joints(simulator):
    state = simulator.state(7)
    assert state.position.shape == state.velocity.shape == state.effort.shape == (43,)
    assert (state.stamp_ns, state.left_hand_stamp_ns, state.right_hand_stamp_ns) == (7, 7, 7)
    assert (state.mode_machine, state.mode_pr) == (5, 0)
    assert np.linalg.norm(state.linear_acceleration) == pytest.approx(9.81)


def test_nothing_but_the_can_touches_anything_at_the_start(simulator):
    pairs = {
        frozenset(simulator.model.geom(number).name for number in (contact.geom1, contact.geom2))
        for contact in simulator.data.contact
    }
    assert pairs <= {frozenset(('can', 'table'))}


def red_pixels(picture: np.ndarray) -> np.ndarray:
    red, green, blue = (picture[..., channel].astype(int) for channel in range(3))
    return np.argwhere((red > 60) & (red > 2 * green) & (red > 2 * blue))


def test_the_head_camera_sees_the_can_where_the_lens_model_says(simulator):
    """Pinhole with fovy 58 at the D435's place; the right hand is lifted out of the view."""
    away = posture({'right_shoulder_roll_joint': -1.2, 'left_shoulder_roll_joint': 1.2})
    width, height = 320, 240
    focal = 0.5 * height / np.tan(np.radians(58.0) / 2)
    mount = link_poses(away, ('d435_link',))['d435_link']
    qpos = [simulator.model.joint(name).qposadr[0] for name in ALL_JOINTS]
    can = simulator.model.joint('can').qposadr[0]
    for x, y in ((0.24, -0.12), (0.40, -0.12), (0.32, -0.20), (0.40, -0.28)):
        simulator.data.qpos[qpos] = away
        simulator.data.qpos[can : can + 2] = (x, y)
        mujoco.mj_forward(simulator.model, simulator.data)
        picture = simulator.render(width, height)
        assert picture.shape == (height, width, 3) and picture.dtype == np.uint8
        seen = red_pixels(picture)
        assert len(seen) > 100
        angle = np.linspace(0.0, 2 * np.pi, 73)
        bottom = simulator.scene(0).poses[0, :3] - (0.0, 0.0, 0.045 - 0.0073)
        ring = bottom + 0.028 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
        ahead, left, up = mount[:3, :3].T @ (ring - mount[:3, 3]).T
        columns, rows = width / 2 - focal * left / ahead, height / 2 - focal * up / ahead
        assert seen[:, 0].max() == pytest.approx(rows.max(), abs=2.0)
        lowest = seen[seen[:, 0] >= seen[:, 0].max() - 1]
        assert lowest[:, 1].mean() == pytest.approx(columns[rows.argmax()], abs=3.0)


def test_pictures_of_one_state_are_equal_and_follow_the_state(simulator):
    first = simulator.render(160, 120).copy()
    np.testing.assert_array_equal(first, simulator.render(160, 120))
    simulator.reset(9)
    assert np.any(first != simulator.render(160, 120))


def test_the_overview_shows_robot_table_can_and_bin(simulator):
    picture = simulator.render(320, 240, 'overview').astype(int)
    assert len(red_pixels(picture)) > 40
    blue = (picture[..., 2] > 1.6 * picture[..., 0]) & (picture[..., 2] > 70)
    assert blue.sum() > 100
    with pytest.raises(ConfigError, match=r'wrist.*head_camera'):
        simulator.render(320, 240, 'wrist')


@pytest.mark.parametrize('seed', range(4))
def test_can_is_picked_and_placed_by_direct_synergies(simulator, direct_expert, seed):
    simulator.reset(seed)
    direct_expert.pick_and_place(simulator)
    scene = simulator.scene(0)
    assert scene.stage == 'done'
    assert scene.success


def test_a_can_still_held_in_the_bin_is_no_success_yet(simulator, direct_expert):
    simulator.reset(2)
    direct_expert.pick_and_place(simulator, release=False)
    scene = simulator.scene(0)
    assert scene.poses[0, 2] < TABLE_TOP_M - PELVIS_HEIGHT_M + 0.06
    assert (scene.success, scene.stage) == (False, 'place')


def test_a_can_put_into_the_bin_without_being_lifted_is_no_success(simulator):
    can = simulator.model.joint('can').qposadr[0]
    simulator.data.qpos[can : can + 3] = (*BIN_XY_M, TABLE_TOP_M + 0.05)
    run(simulator, None, 0.5)
    scene = simulator.scene(0)
    assert abs(scene.poses[0, 1] - BIN_XY_M[1]) < 0.02
    assert (scene.success, scene.stage) == (False, 'reach')
