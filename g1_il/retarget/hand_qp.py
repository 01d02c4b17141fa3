# SPDX-License-Identifier: Apache-2.0
"""Human fingers to Dex3 fingers: a small QP per hand and tick.

The Dex3 has two fingers that only curl and, in the middle of its palm, a thumb that opposes them.
A human thumb opposes from the side. So what is carried over is not where the fingertips are but

- how each finger is curled: the vector from its knuckle to its tip, scaled, and
- how far the thumb is from each finger: the length of the human's thumb-finger vector, laid into
  the plane in which the Dex3 closes.

The second is the pinch term. Below `pinch_start_m` the wanted distance shrinks faster than the
human's and becomes negative (fingertips pass the thumb's), so that a human who closes a hand
around an object the robot holds (and the human does not feel) commands a firm squeeze. Its weight
grows meanwhile, as in DexPilot (Handa et al., 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import daqp
import mujoco
import numpy as np
import numpy.typing as npt

from g1_il.errors import ConfigError
from g1_il.retarget.model import reduced_model
from g1_il.retarget.wrist import SIDES, points_in_palm
from g1_il.robot.joints import JOINT_INDEX, LEFT_HAND_JOINTS, RIGHT_HAND_JOINTS, VELOCITY
from g1_il.xr.frame import INDEX_TIP, MIDDLE_TIP, THUMB_TIP, HandFrame

Array = npt.NDArray[np.float64]

HAND_JOINT_NAMES = {'left': LEFT_HAND_JOINTS, 'right': RIGHT_HAND_JOINTS}
_INDEX_KNUCKLE, _MIDDLE_KNUCKLE = 6, 11
_TIP_SITES = ('thumb_tip', 'index_tip', 'middle_tip')
_KNUCKLE_BODIES = ('hand_index_0_link', 'hand_middle_0_link')


@dataclass(frozen=True, slots=True, kw_only=True)
class HandQpConfig:
    """Constants of the hand retargeting.

    Attributes:
        finger_scale: Length of a Dex3 finger over a human one.
        pinch_start_m: Human thumb-finger distance below which the robot closes faster.
        pinch_end_m: Human distance at which the robot is fully closed.
        squeeze_m: How far the fingertips are sent past the thumb's at pinch_end_m.
        aperture_max_m: Widest thumb-finger distance that is asked of the robot.
        curl_weight: Weight of the knuckle-tip vectors.
        pinch_weight_far: Weight of the thumb-finger vectors above pinch_start_m.
        pinch_weight_near: The same at pinch_end_m.
        plane_weight: Pull of the thumb into the plane between the two fingers.
        turn_weight: Pull of the thumb's turn (thumb_0) to zero [m/rad]: it hardly moves the tip.
        posture_weight: Pull of the thumb's bend to its middle posture [m/rad].
        damping: Cost of moving in one tick [m/rad].
        max_velocity_rad_s: Bound on the speed of every finger joint (slow motors: 90 % of theirs).
    """

    finger_scale: float = 1.1
    pinch_start_m: float = 0.07
    pinch_end_m: float = 0.025
    squeeze_m: float = 0.045
    aperture_max_m: float = 0.125
    curl_weight: float = 1.0
    pinch_weight_far: float = 1.0
    pinch_weight_near: float = 3.0
    plane_weight: float = 0.5
    turn_weight: float = 0.05
    posture_weight: float = 0.02
    damping: float = 0.02
    max_velocity_rad_s: float = 6.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.pinch_end_m < self.pinch_start_m < self.aperture_max_m:
            raise ConfigError(
                'hand retargeting: pinch_end_m, pinch_start_m, aperture_max_m are '
                f'{self.pinch_end_m}, {self.pinch_start_m}, {self.aperture_max_m} m; '
                'they must rise in this order'
            )


def wanted_distance(distance: float, config: HandQpConfig) -> float:
    """Signed thumb-finger distance [m] asked of the robot for a human's [m]; monotonic."""
    if distance >= config.pinch_start_m:
        return min(distance, config.aperture_max_m)
    span = config.pinch_start_m - config.pinch_end_m
    share = max(distance - config.pinch_end_m, 0.0) / span
    return share * config.pinch_start_m - (1.0 - share) * config.squeeze_m


class HandQp:
    """Retargets one hand, warm-started from its own last answer."""

    def __init__(self, config: HandQpConfig, side: str, period_s: float) -> None:
        assert side in SIDES
        self._config = config
        self._side = side
        self._model = reduced_model(HAND_JOINT_NAMES[side])
        self._data = mujoco.MjData(self._model)
        names = [self._model.joint(k).name for k in range(self._model.njnt)]
        self._order = np.array([HAND_JOINT_NAMES[side].index(name) for name in names])
        self._thumb = np.array([names.index(n) for n in HAND_JOINT_NAMES[side][:3]])
        self._lower, self._upper = self._model.jnt_range.T.copy()
        self._sites = [self._model.site(f'{side}_{name}').id for name in _TIP_SITES]
        mujoco.mj_kinematics(self._model, self._data)
        palm = self._data.site(f'{side}_palm')
        self._palm_position = palm.xpos.copy()
        self._palm_rotation = palm.xmat.reshape(3, 3).copy()
        knuckles = [self._data.body(f'{side}_{name}').xpos for name in _KNUCKLE_BODIES]
        self._knuckles = (np.array(knuckles) - self._palm_position) @ self._palm_rotation
        sign = 1.0 if side == 'left' else -1.0
        self._thumb_middle = sign * np.array([0.0, 0.0, 0.3])
        motors = np.array([VELOCITY[JOINT_INDEX[name]] for name in names])
        self._step_limit = np.minimum(config.max_velocity_rad_s, 0.9 * motors) * period_s
        self._q = np.zeros(7)
        self._jacobian = np.empty((3, 7))

    def start(self, position: Array) -> None:
        """Continues from joint positions [rad], shape (7,), in the hand's DDS order."""
        self._q = np.clip(position[self._order], self._lower, self._upper)

    def step(self, hand: HandFrame) -> Array:
        """Moves towards the human's posture by at most one tick's way.

        Returns:
            Joint targets [rad], shape (7,), in the hand's DDS order.
        """
        targets, weights = self._targets(hand)
        start = self._q
        low = np.maximum(self._lower, start - self._step_limit)
        high = np.minimum(self._upper, start + self._step_limit)
        self._q = self._iterate(targets, weights, low, high)
        answer = np.empty(7)
        answer[self._order] = self._q
        return answer

    def fingertips(self) -> Array:
        """Tips of thumb, index and middle in the palm's frame at the last answer [m], (3, 3)."""
        self._data.qpos[:] = self._q
        mujoco.mj_kinematics(self._model, self._data)
        return (self._data.site_xpos[self._sites] - self._palm_position) @ self._palm_rotation

    def _targets(self, hand: HandFrame) -> tuple[Array, Array]:
        """Targets [m] and weights of the residuals, shape (12,): see `_residuals`."""
        config = self._config
        joints = (THUMB_TIP, INDEX_TIP, MIDDLE_TIP, _INDEX_KNUCKLE, _MIDDLE_KNUCKLE)
        thumb, index, middle, *knuckles = points_in_palm(hand, self._side, joints)
        targets, weights = np.empty(12), np.empty(12)
        for k, (tip, knuckle) in enumerate(zip((index, middle), knuckles, strict=True)):
            curl = (self._knuckles[k] + config.finger_scale * (tip - knuckle))[:2]
            apart = tip - thumb
            distance = float(np.linalg.norm(apart))
            near = np.clip(
                (config.pinch_start_m - distance) / (config.pinch_start_m - config.pinch_end_m),
                0.0,
                1.0,
            )
            # Near contact the human's direction is noise: the Dex3 closes along x there.
            direction = (1.0 - near) * apart[:2] / max(distance, 1e-6) + (near + 0.1, 0.0)
            direction /= np.linalg.norm(direction)
            targets[2 * k : 2 * k + 2] = curl
            targets[4 + 2 * k : 6 + 2 * k] = wanted_distance(distance, config) * direction
            weights[2 * k : 2 * k + 2] = config.curl_weight
            far, close = config.pinch_weight_far, config.pinch_weight_near
            weights[4 + 2 * k : 6 + 2 * k] = far + near * (close - far)
        targets[8] = 0.0
        weights[8] = config.plane_weight
        targets[9:] = self._thumb_middle
        weights[9:] = (config.turn_weight, config.posture_weight, config.posture_weight)
        return targets, weights

    def _iterate(self, targets: Array, weights: Array, low: Array, high: Array) -> Array:
        """One Gauss-Newton step of the box-constrained problem."""
        values, jacobian = self._residuals()
        error = weights * (targets - values)
        weighted = weights[:, None] * jacobian
        hessian = weighted.T @ weighted
        hessian.flat[:: len(hessian) + 1] += self._config.damping**2
        x, _, flag, _ = daqp.solve(
            hessian,
            -(error @ weighted),
            np.zeros((0, 7)),
            high - self._q,
            low - self._q,
            np.zeros(7, dtype=np.int32),
        )
        if flag <= 0:  # numerically infeasible: the last answer stays
            return self._q
        return np.clip(self._q + x, low, high)

    def _residuals(self) -> tuple[Array, Array]:
        """Values (12,) and Jacobian (12, 7): tips of index and middle in the closing plane (4),
        thumb to index and thumb to middle (4), the thumb's sideways place (1), its joints (3)."""
        self._data.qpos[:] = self._q
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_comPos(self._model, self._data)
        tips, jacobians = [], []
        for site in self._sites:
            mujoco.mj_jacSite(self._model, self._data, self._jacobian, None, site)
            offset = self._data.site_xpos[site] - self._palm_position
            tips.append(offset @ self._palm_rotation)
            jacobians.append(self._palm_rotation.T @ self._jacobian)
        values, jacobian = np.empty(12), np.zeros((12, 7))
        for k in (0, 1):
            values[2 * k : 2 * k + 2] = tips[1 + k][:2]
            jacobian[2 * k : 2 * k + 2] = jacobians[1 + k][:2]
            values[4 + 2 * k : 6 + 2 * k] = (tips[1 + k] - tips[0])[:2]
            jacobian[4 + 2 * k : 6 + 2 * k] = (jacobians[1 + k] - jacobians[0])[:2]
        values[8] = tips[0][2]
        jacobian[8] = jacobians[0][2]
        values[9:] = self._q[self._thumb]
        jacobian[[9, 10, 11], self._thumb] = 1.0
        return values, jacobian
