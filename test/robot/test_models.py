# SPDX-License-Identifier: Apache-2.0
"""Table, numpy kinematics, MJCF and URDF are one robot, and it is the maker's."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import mujoco
import numpy as np
import pytest

from g1_il.robot.gravity import gravity_torque
from g1_il.robot.joints import ALL_JOINTS, JOINT_INDEX, JOINTS, LINKS, LOWER, UPPER
from g1_il.robot.kinematics import link_poses, quaternion_xyzw, rotation_from_rpy, site_pose
from g1_il.robot.mjcf import build_mjcf
from g1_il.robot.shapes import FRAME_OF_SITE, shapes_of, solid_geoms
from g1_il.robot.urdf import CAMERA_LINK, OPTICAL_FRAME, build_urdf

FACTS = json.loads((Path(__file__).parents[1] / 'data' / 'g1_self_check.json').read_text())
SAMPLE = np.array([FACTS['sample_q'][name] for name in ALL_JOINTS])


class Mujoco:
    """The compiled robot alone, addressed by names."""

    def __init__(self, text: str) -> None:
        self.model = mujoco.MjModel.from_xml_string(text)
        self.data = mujoco.MjData(self.model)
        self.qpos = [self.model.joint(name).qposadr[0] for name in ALL_JOINTS]
        self.dof = [self.model.joint(name).dofadr[0] for name in ALL_JOINTS]

    def place(self, position: np.ndarray) -> None:
        self.data.qpos[self.qpos] = position
        self.data.qvel[:] = 0.0
        mujoco.mj_forward(self.model, self.data)

    def position(self, link: str) -> np.ndarray:
        massless = LINKS[link].mass == 0.0 and link != 'pelvis'
        return (self.data.site(link) if massless else self.data.body(link)).xpos


@pytest.fixture(scope='module')
def robot() -> Mujoco:
    return Mujoco(build_mjcf())


def random_positions(count: int) -> np.ndarray:
    return np.random.default_rng(7).uniform(LOWER, UPPER, size=(count, len(ALL_JOINTS)))


def test_numpy_kinematics_agree_with_the_maker():
    poses = link_poses(np.zeros(43))
    for link, position in FACTS['q0_link_positions_in_pelvis'].items():
        np.testing.assert_allclose(poses[link][:3, 3], position, atol=1e-6)
    poses = link_poses(SAMPLE)
    for link, pose in FACTS['sample_q_poses_in_pelvis'].items():
        np.testing.assert_allclose(poses[link][:3, 3], pose['xyz'], atol=1e-6)
        np.testing.assert_allclose(poses[link][:3, :3].ravel(), pose['R_rowmajor'], atol=1e-6)


def test_mjcf_kinematics_agree_with_the_maker(robot):
    robot.place(np.zeros(43))
    for link, position in FACTS['q0_link_positions_in_pelvis'].items():
        np.testing.assert_allclose(robot.position(link), position, atol=1e-6)
    robot.place(SAMPLE)
    for link, pose in FACTS['sample_q_poses_in_pelvis'].items():
        np.testing.assert_allclose(robot.data.body(link).xpos, pose['xyz'], atol=1e-6)
        np.testing.assert_allclose(robot.data.body(link).xmat, pose['R_rowmajor'], atol=1e-6)


def test_mjcf_and_numpy_agree_everywhere(robot):
    for position in random_positions(20):
        robot.place(position)
        poses = link_poses(position)
        for link in LINKS:
            np.testing.assert_allclose(robot.position(link), poses[link][:3, 3], atol=1e-9)
        for site in FRAME_OF_SITE:
            ours = site_pose(poses, site)
            np.testing.assert_allclose(robot.data.site(site).xpos, ours[:3, 3], atol=1e-9)
            np.testing.assert_allclose(robot.data.site(site).xmat, ours[:3, :3].ravel(), atol=1e-9)
        np.testing.assert_allclose(
            robot.data.qfrc_bias[robot.dof], gravity_torque(position), atol=1e-9
        )


def test_a_subset_of_links_is_enough_and_a_wrong_one_is_named():
    whole = link_poses(SAMPLE)
    part = link_poses(SAMPLE, ('right_hand_palm_link',))
    assert 'left_elbow_link' not in part
    np.testing.assert_array_equal(part['right_hand_palm_link'], whole['right_hand_palm_link'])
    with pytest.raises(ValueError, match='third_arm'):
        link_poses(SAMPLE, ('third_arm',))
    with pytest.raises(ValueError, match='28'):
        link_poses(np.zeros(28))


def test_gravity_torques_are_the_makers():
    torque = gravity_torque(np.zeros(43))
    for name, value in FACTS['gravity_torque_q0'].items():
        assert torque[JOINT_INDEX[name]] == pytest.approx(value, abs=2e-5)


def test_gravity_follows_a_tilted_pelvis(robot):
    down = np.array([0.3, -0.2, -0.93])
    robot.model.opt.gravity[:] = 9.81 * down
    robot.place(SAMPLE)
    robot.model.opt.gravity[:] = (0.0, 0.0, -9.81)
    np.testing.assert_allclose(
        robot.data.qfrc_bias[robot.dof], gravity_torque(SAMPLE, down), atol=1e-9
    )


def test_actuators_are_the_motors_law(robot):
    model = robot.model
    assert [model.actuator(i).name for i in range(model.nu)] == list(ALL_JOINTS)
    robot.place(SAMPLE)
    wanted, speed, effort = 0.05, 0.3, 0.2
    for index, joint in enumerate(JOINTS):
        robot.data.ctrl[index] = effort + joint.kp * (SAMPLE[index] + wanted) + joint.kd * speed
    mujoco.mj_forward(model, robot.data)
    force = np.array([effort + joint.kp * wanted + joint.kd * speed for joint in JOINTS])
    np.testing.assert_allclose(robot.data.actuator_force, force, rtol=1e-9)
    limit = np.array([joint.effort for joint in JOINTS])
    np.testing.assert_allclose(
        robot.data.qfrc_actuator[robot.dof], np.minimum(force, limit), rtol=1e-9
    )


def test_mjcf_holds_the_tables_limits_and_masses(robot):
    for joint in JOINTS:
        compiled = robot.model.joint(joint.name)
        np.testing.assert_array_equal(compiled.range, (joint.lower, joint.upper))
        limits = robot.model.jnt_actfrcrange[compiled.id]
        np.testing.assert_array_equal(limits, (-joint.effort, joint.effort))
    for link in LINKS.values():
        if link.mass:
            assert robot.model.body(link.name).mass[0] == link.mass


def test_urdf_is_the_same_robot():
    text = build_urdf()
    root = ET.fromstring(text)
    links = {link.get('name') for link in root.findall('link')}
    joints = {joint.get('name'): joint for joint in root.findall('joint')}
    assert set(LINKS) <= links
    assert {CAMERA_LINK, OPTICAL_FRAME, *FRAME_OF_SITE} <= links
    assert len(joints) == len(links) - 1
    for joint in JOINTS:
        limit = joints[joint.name].find('limit')
        assert [float(limit.get(key)) for key in ('lower', 'upper', 'effort', 'velocity')] == [
            joint.lower,
            joint.upper,
            joint.effort,
            joint.velocity,
        ]
    masses = {link.get('name'): link.find('inertial/mass') for link in root.findall('link')}
    for link in LINKS.values():
        found = masses[link.name]
        assert (0.0 if found is None else float(found.get('value'))) == link.mass
    materials = {material.get('name') for material in root.findall('material')}
    assert {use.get('name') for use in root.iter('material')} <= materials


def test_urdf_moves_as_the_mjcf():
    text = build_urdf().replace(
        '<robot name="g1">',
        '<robot name="g1"><mujoco><compiler fusestatic="false" discardvisual="true"/></mujoco>',
    )
    urdf = Mujoco(text)
    for position in (np.zeros(43), SAMPLE):
        urdf.place(position)
        poses = link_poses(position)
        for link in LINKS:
            np.testing.assert_allclose(
                urdf.data.body(link).xpos, poses[link][:3, 3], atol=1e-9, err_msg=link
            )
        camera = urdf.data.body(OPTICAL_FRAME)
        mount = poses['d435_link']
        np.testing.assert_allclose(camera.xpos, mount[:3, 3], atol=1e-9)
        # Optical frame: z out of the lens, x to the right of the picture.
        optical = camera.xmat.reshape(3, 3)
        np.testing.assert_allclose(optical[:, 2], mount[:3, 0], atol=1e-9)
        np.testing.assert_allclose(optical[:, 0], -mount[:3, 1], atol=1e-9)


def test_shapes_mirror_and_every_solid_one_has_a_geom(robot):
    names = {robot.model.geom(index).name for index in range(robot.model.ngeom)}
    for link in LINKS:
        assert set(solid_geoms(link)) <= names
        if link.startswith('left_'):
            right = shapes_of('right_' + link.removeprefix('left_'))
            for one, other in zip(shapes_of(link), right, strict=True):
                np.testing.assert_array_equal(np.array(one.start) * (1, -1, 1), other.start)
                assert one.radius == other.radius


def test_nothing_touches_at_rest(robot):
    robot.place(np.zeros(43))
    assert robot.data.ncon == 0


def test_quaternions_are_mujocos():
    rng = np.random.default_rng(1)
    turns = [np.eye(3), np.diag([1.0, -1, -1]), np.diag([-1.0, 1, -1]), np.diag([-1.0, -1, 1])]
    turns += [rotation_from_rpy(tuple(rng.uniform(-3.2, 3.2, 3))) for _ in range(50)]
    for turn in turns:
        x, y, z, w = quaternion_xyzw(turn)
        back = np.empty(9)
        mujoco.mju_quat2Mat(back, np.array([w, x, y, z]))
        assert w >= 0.0
        np.testing.assert_allclose(back.reshape(3, 3), turn, atol=1e-12)
