# SPDX-License-Identifier: Apache-2.0
"""Both arms to their wrist targets: one QP per tick (mink, daqp).

Differential IK with one step per tick, warm-started from its own last answer: what cannot be
reached is approached as far as joint limits, speed and collisions allow, and held there without
chatter (Levenberg-Marquardt damping grows with the error).
"""

from __future__ import annotations

from dataclasses import dataclass

import mink
import numpy as np
import numpy.typing as npt

from g1_il.retarget.clearance import Clearance
from g1_il.retarget.model import reduced_model
from g1_il.retarget.wrist import END_EFFECTOR_OFFSET, SIDES
from g1_il.robot.joints import JOINT_INDEX, LEFT_ARM_JOINTS, LOWER, RIGHT_ARM_JOINTS, UPPER
from g1_il.robot.shapes import solid_geoms

Array = npt.NDArray[np.float64]

ARM_JOINTS = LEFT_ARM_JOINTS + RIGHT_ARM_JOINTS
_TRUNK = ('torso_link', 'head_link', 'pelvis')
_ARM = ('shoulder_yaw_link', 'elbow_link', 'wrist_roll_link', 'wrist_pitch_link', 'hand_palm_link')


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmIkConfig:
    """Constants of the arm IK.

    Attributes:
        position_cost: Weight of the wrist's position error [1/m].
        orientation_cost: Weight of the wrist's orientation error [1/rad].
        posture_cost: Pull to the elbows-down posture, resolves the redundancy [1/rad].
        lm_damping: Levenberg-Marquardt damping, relative to the squared error.
        clearance_m: Distance kept between the arms, and between arms and trunk.
        clearance_look_m: Distance at which a pair of shapes begins to count.
        clearance_gain: Share of what is left to `clearance_m` that one tick may use up.
        clearance_floor_m: No tick leads below this distance: it is shortened, or not made.
        margin_rad: Distance kept from the joint limits; the safety gate keeps one too.
        inward_roll_rad: How far the upper arms may turn inwards (a torso is in the way).
        max_velocity_rad_s: Bound on the speed of every arm joint.
        approach_velocity_rad_s: The same until a target is reached for the first time.
    """

    position_cost: float = 1.0
    orientation_cost: float = 0.3
    posture_cost: float = 0.005
    lm_damping: float = 1.0
    clearance_m: float = 0.015
    clearance_look_m: float = 0.08
    clearance_gain: float = 0.5
    clearance_floor_m: float = 0.005
    margin_rad: float = 0.025
    inward_roll_rad: float = 0.05
    max_velocity_rad_s: float = 3.0
    approach_velocity_rad_s: float = 0.8


def _bounds(config: ArmIkConfig) -> dict[str, tuple[float, float]]:
    """Ranges [rad] of the arm joints as IK may use them."""
    bounds = {}
    for name in ARM_JOINTS:
        index = JOINT_INDEX[name]
        lower = float(LOWER[index]) + config.margin_rad
        upper = float(UPPER[index]) - config.margin_rad
        if name == 'left_shoulder_roll_joint':
            lower = -config.inward_roll_rad
        elif name == 'right_shoulder_roll_joint':
            upper = config.inward_roll_rad
        bounds[name] = (lower, upper)
    return bounds


class ArmIk:
    """Fourteen joints, two targets."""

    def __init__(self, config: ArmIkConfig, period_s: float) -> None:
        self._config = config
        self._period_s = period_s
        bounds = _bounds(config)
        self._model = reduced_model(ARM_JOINTS, bounds)
        names = [self._model.joint(k).name for k in range(self._model.njnt)]
        self._order = np.array([ARM_JOINTS.index(name) for name in names])
        self._lower, self._upper = self._model.jnt_range.T.copy()
        self._configuration = mink.Configuration(self._model)
        self._tasks = {
            side: mink.FrameTask(
                f'{side}_wrist_yaw_link',
                'body',
                position_cost=config.position_cost,
                orientation_cost=config.orientation_cost,
                lm_damping=config.lm_damping,
            )
            for side in SIDES
        }
        posture = mink.PostureTask(self._model, cost=config.posture_cost)
        posture.set_target(self._rest())
        self._all_tasks = [*self._tasks.values(), posture]
        collisions = self._collisions()
        self._clearance = Clearance(self._model, collisions.geom_id_pairs)
        common = [mink.ConfigurationLimit(self._model), collisions]
        self._limits = {
            slow: [*common, mink.VelocityLimit(self._model, self._speeds(slow))]
            for slow in (frozenset(), *map(frozenset, (SIDES[:1], SIDES[1:], SIDES)))
        }
        self.unsolved = 0  # ticks without an answer since the start

    def _speeds(self, slow: frozenset[str]) -> dict[str, float]:
        """Speed limits [rad/s] by joint, when some arms go slowly."""
        config = self._config
        return {
            name: config.approach_velocity_rad_s
            if name.partition('_')[0] in slow
            else config.max_velocity_rad_s
            for name in ARM_JOINTS
        }

    def _rest(self) -> Array:
        """Elbows down and a little out, in the model's order."""
        rest = np.zeros(len(ARM_JOINTS))
        for name, angle in (
            ('left_shoulder_roll_joint', 0.2),
            ('right_shoulder_roll_joint', -0.2),
            ('left_elbow_joint', 0.3),
            ('right_elbow_joint', 0.3),
        ):
            rest[ARM_JOINTS.index(name)] = angle
        return rest[self._order]

    def _collisions(self) -> mink.CollisionAvoidanceLimit:
        def geoms(links: list[str]) -> list[str]:
            return [geom for link in links for geom in solid_geoms(link)]

        trunk = geoms(list(_TRUNK))
        arms = {side: geoms([f'{side}_{part}' for part in _ARM]) for side in SIDES}
        # The upper arm lies against the shoulder's housing: its shapes only meet the other arm.
        lower = {side: [g for g in arms[side] if 'shoulder' not in g] for side in SIDES}
        return mink.CollisionAvoidanceLimit(
            self._model,
            [
                (lower['left'], trunk),
                (lower['right'], trunk),
                (arms['left'], arms['right']),
            ],
            gain=self._config.clearance_gain,
            minimum_distance_from_collisions=self._config.clearance_m,
            collision_detection_distance=self._config.clearance_look_m,
        )

    def start(self, position: Array) -> Array:
        """Continues from joint positions [rad], shape (14,): left arm, right arm.

        The targets become the poses that the arms have there.

        Returns:
            Where it begins [rad], shape (14,): the same, or the nearest within the joint limits.
        """
        q = np.clip(position[self._order], self._lower, self._upper)
        self._configuration.update(q)
        for side in SIDES:
            self._tasks[side].set_target_from_configuration(self._configuration)
        return self._positions()

    def set_target(self, side: str, pose: Array) -> None:
        """Sets where an end effector should be: pose in the pelvis frame, shape (4, 4)."""
        wrist = pose.copy()
        wrist[:3, 3] -= pose[:3, :3] @ END_EFFECTOR_OFFSET
        self._tasks[side].set_target(mink.SE3.from_matrix(wrist))

    def step(self, slow: frozenset[str] = frozenset()) -> Array:
        """Moves towards the targets by at most one tick's way.

        Args:
            slow: Sides whose arms keep the approach's bound.

        Returns:
            Joint targets [rad], shape (14,): left arm, right arm.
        """
        try:
            velocity = mink.solve_ik(
                self._configuration,
                self._all_tasks,
                self._period_s,
                solver='daqp',
                limits=self._limits[slow],
            )
        except mink.NoSolutionFound:
            self.unsolved += 1
        else:
            self._move(velocity * self._period_s)
        return self._positions()

    def _positions(self) -> Array:
        """The configuration in the order left arm, right arm, shape (14,)."""
        answer = np.empty(len(ARM_JOINTS))
        answer[self._order] = self._configuration.q
        return answer

    def _move(self, step: Array) -> None:
        """Makes a step [rad], as much of it as does not lead into a collision.

        The QP sees distances to first order only; this looks at what comes of it.
        """
        floor = self._config.clearance_floor_m
        data = self._configuration.data
        start, before = self._configuration.q, self._clearance.distance(data, floor)
        for share in (1.0, 0.5, 0.25, 0.1):
            q = np.clip(start + share * step, self._lower, self._upper)
            self._configuration.update(q)
            if self._clearance.distance(data, floor) >= before:
                return
        self._configuration.update(start)

    def error(self, side: str) -> tuple[float, float]:
        """Distance [m] and angle [rad] between a wrist and its target."""
        twist = self._tasks[side].compute_error(self._configuration)
        return float(np.linalg.norm(twist[:3])), float(np.linalg.norm(twist[3:]))

    def end_effector(self, side: str) -> Array:
        """Pose of an end effector in the pelvis frame at the last answer, shape (4, 4)."""
        pose = self._configuration.get_transform_frame_to_world(
            f'{side}_wrist_yaw_link', 'body'
        ).as_matrix()
        pose[:3, 3] += pose[:3, :3] @ END_EFFECTOR_OFFSET
        return pose

    def clearance(self) -> float:
        """Smallest distance [m] of the watched pairs at the last answer, at most 1 m."""
        return self._clearance.distance(self._configuration.data, 1.0)
