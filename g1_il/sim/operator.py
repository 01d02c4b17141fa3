# SPDX-License-Identifier: Apache-2.0
"""The scripted operator: a human who looks at the scene and moves head and hands.

It knows where can and bin are (it sees them), how its own body is built, and, from practice, how
the robot's hand lies relative to its own. It knows nothing of joints, IK or the gate: what leaves
here is what a headset would see.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from g1_il.errors import ConfigError
from g1_il.robot.rotation import rotation_x, rotation_y, rotation_z, xyzw_from_matrices
from g1_il.sim.operator_hand import CLOSED, RELAXED, SPANNED, HandPosture, blend, hand_frame
from g1_il.sim.operator_motion import Pose, between, min_jerk
from g1_il.sim.scene import Scene
from g1_il.xr.frame import HandFrame, XrFrame

Array = npt.NDArray[np.float64]

TASKS = ('pick_place',)
"""Scenes that the operator can do."""

HEAD_POSITION = np.array([0.0, 0.0, 1.60])
"""The operator's head in the tracking space [m]."""

HEAD_IN_PELVIS = np.array([0.15, 0.0, 0.45])
"""Where the robot puts that head in its pelvis frame [m]: learnt by practice."""

_DEG = math.pi / 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How this operator moves; lengths in the hand's own frame [m], durations [s].

    Attributes:
        grasp_ahead_m: The robot's grasp lies this far ahead of its wrist.
        grasp_height_m: The wrist is this far above the can's centre when it grasps.
        straight_y_m: Right of this the fingers point straight ahead;
        turned_y_m: from there on to here they turn inwards, as a forearm does,
        turned_rad: by this much.
        hover_m: Height above the grasp at which the hand arrives over the can.
        lift_m: Height to which the can is lifted before it is carried.
        release_above_m: Height of the can above the table when it is let go over the bin.
        lifted_m: A can that has risen by less than this was not grasped: try again.
        attempts: Tries before giving up.
        reach_s: From rest to above the can; the others likewise.
    """

    grasp_ahead_m: float = 0.050
    grasp_height_m: float = 0.080
    straight_y_m: float = -0.30
    turned_y_m: float = 0.05
    turned_rad: float = 25 * _DEG
    hover_m: float = 0.13
    lift_m: float = 0.17
    release_above_m: float = 0.022
    lifted_m: float = 0.03
    attempts: int = 3
    reach_s: float = 1.5
    lower_s: float = 0.9
    close_s: float = 0.7
    lift_s: float = 0.8
    carry_s: float = 1.3
    place_s: float = 0.7
    settle_s: float = 0.15
    open_s: float = 0.6
    retreat_s: float = 0.8
    rest_s: float = 0.4


def _at_rest(side: str) -> Pose:
    """Elbows back, forearm raised, palm facing inwards: how the robot stands, so that nothing
    moves when retargeting is engaged."""
    sign = 1.0 if side == 'left' else -1.0
    turn = rotation_z(-5.3 * sign * _DEG) @ rotation_y(-22.35 * _DEG)
    return Pose(
        position=np.array([0.1385, 0.1717 * sign, 0.2091]),
        rotation=turn @ rotation_x(-74.26 * sign * _DEG),
    )


HOME = {side: _at_rest(side) for side in ('left', 'right')}
"""Where the operator's hands rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One stretch of the motion: where the right hand ends up, and how.

    Attributes:
        name: Stage of the operator.
        duration_s: Time it takes.
        pose: Right wrist at its end.
        grip: Hand at its end, 0 spanned to 1 closed.
    """

    name: str
    duration_s: float
    pose: Pose
    grip: float


class ScriptedOperator:
    """Does one episode: reach, lower, close, lift, carry, place, open, retreat."""

    def __init__(self, task: str, seed: int, habits: Habits | None = None) -> None:
        """Prepares an episode.

        Args:
            task: Scene, one of TASKS.
            seed: Decides this episode's small differences: pace and aim.
            habits: How the operator moves.
        """
        if task not in TASKS:
            raise ConfigError(
                f'operator: task is {task!r}; the scripted operator can do {", ".join(TASKS)}'
            )
        rng = np.random.default_rng((seed, 0x6F70))  # not the stream that places the can
        self._habits = habits or Habits()
        self._pace = float(rng.uniform(0.93, 1.07))
        self._aim = rng.uniform(-0.004, 0.004, size=2)
        self._phases: list[Phase] = []
        self._from: tuple[Pose, float] = (HOME['right'], -1.0)
        self._began_ns: int | None = None
        self._attempts = 0
        self._can_height = 0.0
        self._resting = False
        self._stage = 'rest'
        self._finished = False

    @property
    def stage(self) -> str:
        """What the operator is doing: rest, reach, lower, close, lift, carry, place, open, ..."""
        return self._stage

    @property
    def done(self) -> bool:
        """Whether the operator has finished, with success or not."""
        return self._finished

    @property
    def attempts(self) -> int:
        """Grasps tried so far."""
        return self._attempts

    def rest(self, now_ns: int) -> XrFrame:
        """Hands at rest, before an episode begins."""
        return _frame(now_ns, HOME['right'], RELAXED)

    def step(self, now_ns: int, scene: Scene) -> XrFrame:
        """What the headset sees now.

        Args:
            now_ns: Time of the frame; phases last in this time.
            scene: What the operator sees.
        """
        if self._began_ns is None:
            self._begin(now_ns, scene)
        assert self._began_ns is not None
        while self._phases:
            phase = self._phases[0]
            share = (now_ns - self._began_ns) * 1e-9 / (phase.duration_s * self._pace)
            if share < 1.0:
                self._stage = phase.name
                smooth = min_jerk(share)
                start_pose, start_grip = self._from
                pose = between(start_pose, phase.pose, smooth)
                return _frame(
                    now_ns, pose, _posture(start_grip + smooth * (phase.grip - start_grip))
                )
            self._from = (phase.pose, phase.grip)
            self._began_ns += round(phase.duration_s * self._pace * 1e9)
            self._phases.pop(0)
            self._after(phase, scene)
        self._finished, self._stage = True, 'rest'
        pose, grip = self._from
        return _frame(now_ns, pose, _posture(grip))

    def _begin(self, now_ns: int, scene: Scene) -> None:
        self._began_ns = now_ns
        self._can_height = float(_place(scene, 'can')[2])
        self._phases = self._grasp(scene)

    def _after(self, phase: Phase, scene: Scene) -> None:
        """Looks at what a phase has brought, and decides."""
        habits = self._habits
        if phase.name == 'reach':  # aim again: the can may have been touched or moved
            self._phases = self._grasp(scene)[1:]
        elif phase.name == 'lift':
            grasped = _place(scene, 'can')[2] > self._can_height + habits.lifted_m
            if grasped or self._attempts >= habits.attempts:
                self._phases = self._deliver(scene)
            else:
                self._phases = self._grasp(scene)

    def _grasp(self, scene: Scene) -> list[Phase]:
        """From wherever the hand is: over the can, down, close, up."""
        habits = self._habits
        can = _place(scene, 'can')
        height = self._can_height + habits.grasp_height_m
        at = self._over(can[:2], height)
        above = self._over(can[:2], height + habits.hover_m)
        up = self._over(can[:2], height + habits.lift_m)
        self._attempts += self._stage != 'reach'
        return [
            Phase(name='reach', duration_s=habits.reach_s, pose=above, grip=0.0),
            Phase(name='lower', duration_s=habits.lower_s, pose=at, grip=0.0),
            Phase(name='close', duration_s=habits.close_s, pose=at, grip=1.0),
            Phase(name='lift', duration_s=habits.lift_s, pose=up, grip=1.0),
        ]

    def _deliver(self, scene: Scene) -> list[Phase]:
        """From the lifted can: over the bin, down, open, up."""
        habits = self._habits
        target = _place(scene, 'bin')
        height = self._can_height + habits.grasp_height_m
        # The can is not quite where the grasp was aimed: bring the can over the bin, not the hand.
        hand = self._from[0]
        held = hand.rotation.T @ (_place(scene, 'can') - hand.position)
        over = self._over(target[:2], height + habits.lift_m, held)
        down = self._over(target[:2], height + habits.release_above_m, held)
        return [
            Phase(name='carry', duration_s=habits.carry_s, pose=over, grip=1.0),
            Phase(name='place', duration_s=habits.place_s, pose=down, grip=1.0),
            Phase(name='settle', duration_s=habits.settle_s, pose=down, grip=1.0),
            Phase(name='open', duration_s=habits.open_s, pose=down, grip=0.0),
            Phase(name='retreat', duration_s=habits.retreat_s, pose=over, grip=0.0),
            Phase(name='watch', duration_s=habits.rest_s, pose=over, grip=0.0),
        ]

    def _over(self, point: Array, height: float, held: Array | None = None) -> Pose:
        """The wrist, palm down, such that the robot's grasp is over a point of the table.

        Args:
            point: [m], shape (2,).
            height: Of the wrist [m].
            held: Place in the hand that shall be there, when not the middle of the grasp [m].
        """
        habits = self._habits
        share = (float(point[1]) - habits.straight_y_m) / (habits.turned_y_m - habits.straight_y_m)
        yaw = habits.turned_rad * min(max(share, 0.0), 1.0)
        rotation = rotation_z(yaw)
        aimed = np.array([habits.grasp_ahead_m + self._aim[0], self._aim[1], 0.0])
        inside = aimed if held is None else held
        place = np.append(point - (rotation @ inside)[:2], height)
        return Pose(position=place, rotation=rotation)


def _place(scene: Scene, name: str) -> Array:
    if name not in scene.names:
        raise ConfigError(
            f'operator: the scene has no {name!r}, only {", ".join(scene.names) or "nothing"}; '
            'start the simulator with the task that the operator was given'
        )
    return scene.poses[scene.names.index(name), :3]


def _posture(grip: float) -> HandPosture:
    """The hand between relaxed (-1), spanned (0) and closed (1)."""
    if grip < 0.0:
        return blend(SPANNED, RELAXED, -grip)
    return blend(SPANNED, CLOSED, grip)


def _hand(side: str, pose: Pose, posture: HandPosture) -> HandFrame:
    """A hand in the tracking space."""
    return hand_frame(
        side=side,
        posture=posture,
        wrist_position=pose.position - HEAD_IN_PELVIS + HEAD_POSITION,
        wrist_rotation=pose.rotation,
    )


_RESTING_LEFT = _hand('left', HOME['left'], RELAXED)
_LOOKING_DOWN = xyzw_from_matrices(rotation_y(25 * _DEG))


def _frame(now_ns: int, right: Pose, posture: HandPosture) -> XrFrame:
    """Head, resting left hand and moving right hand in the tracking space."""
    return XrFrame(
        stamp_ns=now_ns,
        head_tracked=True,
        head_position=HEAD_POSITION.copy(),
        head_orientation_xyzw=_LOOKING_DOWN.copy(),
        left=_RESTING_LEFT,
        right=_hand('right', right, posture),
    )
