# SPDX-License-Identifier: Apache-2.0
"""Human to robot: one XrFrame in, joint targets of arms and hands out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from g1_il.errors import ConfigError
from g1_il.retarget.arm_ik import ARM_JOINTS, ArmIk, ArmIkConfig
from g1_il.retarget.hand_qp import HAND_JOINT_NAMES, HandQp, HandQpConfig
from g1_il.retarget.wrist import SIDES, wrist_target
from g1_il.robot.command import JointTargets
from g1_il.robot.joints import ALL_JOINTS, COMMAND_JOINTS, indices
from g1_il.robot.state import RobotState
from g1_il.xr.frame import HandFrame, XrFrame

Array = npt.NDArray[np.float64]

_ARM_INDEX = indices(ARM_JOINTS)
_HAND_INDEX = {side: indices(HAND_JOINT_NAMES[side]) for side in SIDES}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetargetConfig:
    """How human motion becomes robot motion."""

    rate_hz: float = field(
        default=60.0,
        metadata={'description': 'Rate of the frames; speeds are per frame at this rate'},
    )
    head_offset_m: tuple[float, float, float] = field(
        default=(0.15, 0.0, 0.45),
        metadata={'description': "Place of the user's head in the robot's pelvis frame [m]"},
    )
    arrived_m: float = field(
        default=0.03,
        metadata={'description': 'Wrist error below which the slow approach ends [m]'},
    )
    arrived_rad: float = field(
        default=0.2,
        metadata={'description': 'Wrist error below which the slow approach ends [rad]'},
    )
    regain_s: float = field(
        default=0.5,
        metadata={'description': 'A hand unseen for longer is approached slowly again [s]'},
    )
    arm: ArmIkConfig = field(default_factory=ArmIkConfig)
    hand: HandQpConfig = field(default_factory=HandQpConfig)

    def __post_init__(self) -> None:
        if not 10.0 <= self.rate_hz <= 240.0:
            raise ConfigError(f'rate_hz is {self.rate_hz}; the headset rate is 10 to 240 Hz')
        if len(self.head_offset_m) != 3 or not np.all(np.isfinite(self.head_offset_m)):
            raise ConfigError(
                f'head_offset_m is {self.head_offset_m}; it wants three finite numbers [m]'
            )


class Retargeter:
    """Follows a user's hands from the moment it is engaged.

    The answer depends on the frames since engaging alone (no clock, no randomness), so that a
    recorded session gives the same commands again.
    """

    def __init__(self, config: RetargetConfig | None = None) -> None:
        self.config = config or RetargetConfig()
        period_s = 1.0 / self.config.rate_hz
        self._offset = np.array(self.config.head_offset_m)
        self._arms = ArmIk(self.config.arm, period_s)
        self._hands = {side: HandQp(self.config.hand, side, period_s) for side in SIDES}
        self._hand_position = {side: np.zeros(7) for side in SIDES}
        self._beyond = np.zeros(len(ARM_JOINTS))
        self._approaching = frozenset(SIDES)
        self._seen_ns: dict[str, int | None] = dict.fromkeys(SIDES)
        self._engaged = False

    @property
    def engaged(self) -> bool:
        """Whether frames are followed."""
        return self._engaged

    @property
    def approaching(self) -> frozenset[str]:
        """Sides whose arms are still on their slow way to the hand."""
        return self._approaching

    @property
    def arms(self) -> ArmIk:
        """The arm IK, for its errors and clearances."""
        return self._arms

    def engage(self, measured: RobotState | Array) -> None:
        """Begins to follow, from where the robot is.

        Args:
            measured: State, or joint positions [rad] in ALL_JOINTS order, shape (43,).
        """
        raw = measured.position if isinstance(measured, RobotState) else measured
        position = np.asarray(raw, dtype=np.float64)
        if position.shape != (len(ALL_JOINTS),):
            raise ValueError(f'measured positions have shape {position.shape}, not (43,)')
        if not np.all(np.isfinite(position[_ARM_INDEX])):
            raise ValueError('measured positions of the arms are not all finite')
        arms = position[_ARM_INDEX]
        self._beyond = arms - self._arms.start(arms)
        for side in SIDES:
            hand = np.nan_to_num(position[_HAND_INDEX[side]])  # a hand never seen is open
            self._hands[side].start(hand)
            self._hand_position[side] = hand
        self._approaching = frozenset(SIDES)
        self._seen_ns = dict.fromkeys(SIDES)
        self._engaged = True

    def disengage(self) -> None:
        """Stops following: `step` says nothing until the next engage."""
        self._engaged = False

    def step(self, frame: XrFrame) -> JointTargets | None:
        """Joint targets for one frame; None when there is nothing to say (the gate holds).

        A hand that is not tracked, or whose numbers are not finite, keeps its last target.
        """
        hands: dict[str, HandFrame] = {'left': frame.left, 'right': frame.right}
        seen = [side for side in SIDES if _usable(hands[side])]
        head_seen = frame.head_tracked and bool(np.all(np.isfinite(frame.head_position)))
        if not self._engaged or not head_seen or not seen:
            return None
        self._approaching |= {side for side in seen if self._is_back(side, frame.stamp_ns)}
        for side in seen:
            self._seen_ns[side] = frame.stamp_ns
            target = wrist_target(frame.head_position, hands[side], side, self._offset)
            self._arms.set_target(side, target)
            self._hand_position[side] = self._hands[side].step(hands[side])
        arms = self._arms.step(self._approaching) + self._come_back_in()
        self._approaching -= {side for side in self._approaching if self._has_arrived(side)}
        position = np.concatenate(
            [arms, self._hand_position['left'], self._hand_position['right']]
        )
        return JointTargets(
            stamp_ns=frame.stamp_ns,
            source='teleop',
            position=position,
            velocity=np.zeros(len(COMMAND_JOINTS)),
        )

    def _come_back_in(self) -> Array:
        """What is left of the way [rad], shape (14,), from a start outside IK's limits."""
        most = self.config.arm.approach_velocity_rad_s / self.config.rate_hz
        self._beyond = self._beyond - np.clip(self._beyond, -most, most)
        return self._beyond

    def _is_back(self, side: str, stamp_ns: int) -> bool:
        """Whether a hand that is seen now was out of sight for long."""
        seen_ns = self._seen_ns[side]
        return seen_ns is not None and abs(stamp_ns - seen_ns) > self.config.regain_s * 1e9

    def _has_arrived(self, side: str) -> bool:
        distance, angle = self._arms.error(side)
        seen = self._seen_ns[side] is not None
        return seen and distance < self.config.arrived_m and angle < self.config.arrived_rad


def _usable(hand: HandFrame) -> bool:
    """Whether a tracked hand's numbers can be used."""
    if not hand.tracked:
        return False
    norms = np.linalg.norm(hand.orientation_xyzw, axis=-1)
    return bool(np.all(np.isfinite(hand.position)) and np.all(np.abs(norms - 1.0) < 0.01))
