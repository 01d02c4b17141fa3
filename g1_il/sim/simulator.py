# SPDX-License-Identifier: Apache-2.0
"""The simulated G1 in its scene: steps, states, ground truth and pictures.

World: x forward, y left, z up, origin on the floor below the pelvis, which is fixed at (0, 0,
0.793 m). Scene poses are given in the pelvis frame. Nothing here knows of time but its own.
"""

from __future__ import annotations

import mujoco
import numpy as np
import numpy.typing as npt

from g1_il.errors import ConfigError
from g1_il.robot.command import RobotCommand
from g1_il.robot.gravity import GRAVITY_M_S2
from g1_il.robot.joints import ALL_JOINTS, KD, KP, LEFT_HAND_JOINTS, RIGHT_HAND_JOINTS
from g1_il.robot.mjcf import HEAD_CAMERA, build_mjcf
from g1_il.robot.poses import STANDING
from g1_il.robot.state import RobotState
from g1_il.sim.renderer import CLEAR, FAST, Quality, SceneRenderer
from g1_il.sim.scene import Scene
from g1_il.sim.tasks import make_task

Array = npt.NDArray[np.float64]

PELVIS_HEIGHT_M = 0.793
MODE_MACHINE = 5
_JUDGE_PERIOD_S = 0.010
_BODY = slice(0, 29)
_ARM_SDK = slice(12, 29)
_HANDS = slice(29, 29 + len(LEFT_HAND_JOINTS) + len(RIGHT_HAND_JOINTS))
_AMBIENT_DEG_C = 25.0
_VISUAL = (
    '<headlight ambient="0.30 0.30 0.31" diffuse="0.32 0.32 0.32" specular="0.15 0.15 0.15"/>'
)


_OWN_KP, _OWN_KD = KP.copy(), KD.copy()
_OWN_KP[_HANDS] = _OWN_KD[_HANDS] = 0.0


def check_seed(seed: int) -> None:
    """Refuses what numpy's generator would refuse less kindly."""
    if seed < 0:
        raise ConfigError(f'seed {seed} is negative; give 0 or more')


class Simulator:
    """One robot and one task. Not thread-safe, except `snapshot` between steps."""

    def __init__(self, *, task: str = 'pick_place', timestep_s: float = 0.002) -> None:
        """Builds the model and resets to seed 0.

        Args:
            task: Name of a task, see `g1_il.sim.tasks`.
            timestep_s: Physics step [s], a whole number of nanoseconds.

        Raises:
            ConfigError: The task is not known or the step is out of range.
        """
        if not 0.0005 <= timestep_s <= 0.005:
            raise ConfigError(
                f'timestep_s {timestep_s} is outside 0.0005..0.005; contacts need small steps'
            )
        self._task = make_task(task)
        self._model = mujoco.MjModel.from_xml_string(
            build_mjcf(
                pelvis_height_m=PELVIS_HEIGHT_M,
                timestep_s=timestep_s,
                assets=self._task.assets,
                world=self._task.world,
                visual=_VISUAL,
            )
        )
        self._data = mujoco.MjData(self._model)
        joints = [self._model.joint(name) for name in ALL_JOINTS]
        self._qpos = np.array([joint.qposadr[0] for joint in joints])
        self._dof = np.array([joint.dofadr[0] for joint in joints])
        self._body_dof = self._dof[_BODY]
        self._objects = [self._model.body(name).id for name in self._task.objects]
        self._task.bind(self._model)
        self._timestep_ns = round(timestep_s * 1e9)
        self._judge_every = max(1, round(_JUDGE_PERIOD_S / timestep_s))
        self._command: RobotCommand | None = None
        self._full_body = False
        self._renderers: dict[tuple[int, int, str, Quality | None], SceneRenderer] = {}
        self._steps = 0
        self.reset(0)

    @property
    def model(self) -> mujoco.MjModel:
        """The compiled model, to read."""
        return self._model

    @property
    def data(self) -> mujoco.MjData:
        """The physics state, to read; for tests and for whoever knows what he does."""
        return self._data

    @property
    def time_ns(self) -> int:
        """Simulated time since the simulator was made [ns]; a reset does not turn it back."""
        return self._steps * self._timestep_ns

    @property
    def timestep_ns(self) -> int:
        """Physics step [ns]."""
        return self._timestep_ns

    def reset(self, seed: int, *, robot: bool = True) -> None:
        """Puts objects (and the robot) at the start that the seed determines.

        Args:
            seed: Of the random start; the same seed gives the same start and, with the same
                commands, the same motion to the last bit.
            robot: False leaves the robot where it is, for a reset while it is being commanded.

        Raises:
            ConfigError: The seed is negative.
        """
        check_seed(seed)
        position = self._data.qpos[self._qpos].copy()
        velocity = self._data.qvel[self._dof].copy()
        mujoco.mj_resetData(self._model, self._data)
        self._data.qpos[self._qpos] = STANDING if robot else position
        self._data.qvel[self._dof] = 0.0 if robot else velocity
        self._task.reset(self._data, np.random.default_rng(seed))
        self._seed = seed
        self._unset = True  # mj_resetData has cleared the controls
        mujoco.mj_forward(self._model, self._data)

    def step(self, command: RobotCommand | None, *, full_body: bool = False) -> None:
        """One physics step.

        Args:
            command: What came over the wire; None before the first command.
            full_body: The command came as lowcmd and owns all 29 motors. Otherwise it came as
                arm_sdk: waist and arms follow w * command + (1 - w) * own controller; legs, and
                joints with neither gains nor effort, stay with the own controller.
        """
        if self._unset or command is not self._command or full_body is not self._full_body:
            self._command, self._full_body, self._unset = command, full_body, False
            self._take(command)
        # The own controller carries the weight of whatever posture the arms are in, as a
        # balance controller does: otherwise the torso leans when they reach out.
        weight = self._data.qfrc_bias[self._body_dof]
        self._data.ctrl[_BODY] = self._drive[_BODY] + self._rest[_BODY] * weight
        mujoco.mj_step(self._model, self._data)
        self._steps += 1
        if self._steps % self._judge_every == 0:
            self._task.update(self._data)

    def _take(self, command: RobotCommand | None) -> None:
        """Mixes a command and the own controller, which holds STANDING and lets hands go."""
        share = np.zeros(len(ALL_JOINTS))
        kp, kd, drive = _OWN_KP, _OWN_KD, _OWN_KP * STANDING
        if command is not None:
            if self._full_body:
                share[_BODY] = 1.0
            else:
                said = (command.kp != 0.0) | (command.kd != 0.0) | (command.effort != 0.0)
                share[_ARM_SDK] = min(max(command.weight, 0.0), 1.0) * said[_ARM_SDK]
            share[_HANDS] = 1.0 if command.hands_enabled else 0.0
            wanted = command.effort + command.kp * command.position
            wanted += command.kd * command.velocity
            kp = share * command.kp + (1.0 - share) * kp
            kd = share * command.kd + (1.0 - share) * kd
            drive = share * wanted + (1.0 - share) * drive
        self._rest = 1.0 - share
        self._drive = drive
        self._model.actuator_biasprm[:, 1] = -kp
        self._model.actuator_biasprm[:, 2] = -kd
        self._data.ctrl[:] = drive

    def state(self, stamp_ns: int) -> RobotState:
        """What the robot would say about itself now.

        Args:
            stamp_ns: Host time that the state gets [ns].
        """
        return RobotState(
            stamp_ns=stamp_ns,
            left_hand_stamp_ns=stamp_ns,
            right_hand_stamp_ns=stamp_ns,
            position=self._data.qpos[self._qpos].copy(),
            velocity=self._data.qvel[self._dof].copy(),
            effort=self._data.qfrc_actuator[self._dof].copy(),
            orientation_wxyz=np.array([1.0, 0.0, 0.0, 0.0]),
            angular_velocity=np.zeros(3),
            linear_acceleration=np.array([0.0, 0.0, GRAVITY_M_S2]),
            mode_machine=MODE_MACHINE,
            mode_pr=0,
            tick=(self.time_ns // 1_000_000) % 2**32,
            casing_temperature=np.full(29, _AMBIENT_DEG_C),
            winding_temperature=np.full(29, _AMBIENT_DEG_C),
            wireless_remote=bytes(40),
        )

    def scene(self, stamp_ns: int) -> Scene:
        """Ground truth of the scene now, in the pelvis frame.

        Args:
            stamp_ns: Host time that the scene gets [ns].
        """
        # mj_step leaves the poses of before the step behind.
        mujoco.mj_kinematics(self._model, self._data)
        poses = np.empty((len(self._objects), 7))
        poses[:, :3] = self._data.xpos[self._objects] - (0.0, 0.0, PELVIS_HEIGHT_M)
        poses[:, 3:] = self._data.xquat[self._objects][:, [1, 2, 3, 0]]
        return Scene(
            stamp_ns=stamp_ns,
            task=self._task.name,
            seed=self._seed,
            names=self._task.objects,
            poses=poses,
            success=self._task.success,
            stage=self._task.stage,
        )

    def snapshot(self) -> Array:
        """Positions of everything (MuJoCo's qpos), for a `SceneRenderer` in another thread."""
        return self._data.qpos.copy()

    def renderer(
        self, width: int, height: int, camera: str = HEAD_CAMERA, quality: Quality | None = None
    ) -> SceneRenderer:
        """A renderer for another thread; arguments as for `render`."""
        names = [self._model.camera(number).name for number in range(self._model.ncam)]
        if camera not in names:
            raise ConfigError(f'camera {camera!r} is not in the scene; choose {", ".join(names)}')
        if quality is None:
            quality = FAST if camera == HEAD_CAMERA else CLEAR
        return SceneRenderer(self._model, width=width, height=height, quality=quality)

    def render(
        self,
        width: int = 640,
        height: int = 480,
        camera: str = HEAD_CAMERA,
        quality: Quality | None = None,
    ) -> npt.NDArray[np.uint8]:
        """Picture of the scene now; always call it in the same thread.

        Args:
            width: [px].
            height: [px].
            camera: 'head_camera' (as the robot sees) or 'overview' (robot and scene from aside).
            quality: FAST unless said (5 ms) for the head camera, CLEAR (with shadows, 40 ms) for
                others; FINE is for pictures on paper (0.3 s). See `g1_il.sim.renderer`.

        Returns:
            RGB, shape (height, width, 3).
        """
        key = (width, height, camera, quality)
        if key not in self._renderers:
            self._renderers[key] = self.renderer(width, height, camera, quality)
        return self._renderers[key].render(self._data.qpos, camera)

    def close(self) -> None:
        """Frees the renderers, in the thread that used them."""
        for renderer in self._renderers.values():
            renderer.close()
        self._renderers.clear()
