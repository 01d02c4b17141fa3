# SPDX-License-Identifier: Apache-2.0
"""Runs a learned policy: rows of the live streams in, joint commands out.

Sees what the dataset's rows hold, made by the same FrameAssembler. Infers on a thread of its own,
so that a slow network delays no message. Quiet unless started; when an input is stale it goes
quiet, and the gate holds.

Subscribes:
    <camera>/color/image_raw/compressed (sensor_msgs/CompressedImage), 30 Hz: makes the rows
    joint_states (sensor_msgs/JointState), 100 Hz
    sim/scene (g1_il/SceneState), 30 Hz: for policies that read the environment state
Publishes:
    policy/command (g1_il/JointCommand), rate_hz while it has something to say
    policy/status (g1_il/PolicyStatus), on change and at 2 Hz
Services:
    policy/start, policy/pause (std_srvs/Trigger)

    ros2 run g1_il policy --ros-args -p policy:=policy.onnx -p robot:=sim
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import rclpy
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, JointState
from std_srvs.srv import Trigger

from g1_il.errors import ConfigError, G1Error
from g1_il.msg import JointCommand, PolicyStatus, SceneState
from g1_il.policy.contract import SCENE_STREAM, STATE_STREAM
from g1_il.policy.onnx_policy import OnnxPolicy
from g1_il.policy.runner import RunnerConfig
from g1_il.policy.session import PolicySession, SessionState
from g1_il.ros import messages
from g1_il.ros.params import declare
from g1_il.ros.qos import COMMAND, SENSOR, STATUS
from g1_il.ros.run_node import run_node
from g1_il.rows.row import Row
from g1_il.rows.streams import scene_names, scene_vector

SCENE_WAIT_S = 3.0
STATUS_PERIOD_S = 0.5
MAX_THREADS = 64
ROBOTS = ('sim', 'real')
DEFAULTS = RunnerConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyNodeConfig:
    """Parameters of the node."""

    policy: str = field(default='', metadata={'description': 'file made by g1-il export'})
    robot: str = field(default='sim', metadata={'description': 'sim or real'})
    camera: str = field(
        default='head_camera', metadata={'description': 'camera whose frames make the rows'}
    )
    fps: int = field(default=30, metadata={'description': 'frames per second of that camera'})
    rate_hz: float = field(
        default=60.0, metadata={'description': 'rate of policy/command [Hz]; 10 to 250'}
    )
    threads: int = field(default=1, metadata={'description': 'threads of one inference'})
    execute: int = field(
        default=0,
        metadata={'description': 'rows after which to infer again; 0: as the policy was made'},
    )
    blend_s: float = field(
        default=DEFAULTS.blend_s,
        metadata={'description': 'time in which a new chunk takes over from the old one [s]'},
    )
    max_observation_age_s: float = field(
        default=DEFAULTS.max_observation_age_s,
        metadata={'description': 'age of the newest observation beyond which to go quiet [s]'},
    )

    def __post_init__(self) -> None:
        if not self.policy:
            raise ConfigError('parameter policy is empty; set it: -p policy:=FILE.onnx')
        if self.robot not in ROBOTS:
            raise ConfigError(f'parameter robot is {self.robot!r}; allowed: sim, real')
        if not 10.0 <= self.rate_hz <= 250.0:
            raise ConfigError(f'parameter rate_hz is {self.rate_hz}; allowed: 10 to 250')
        if not 1 <= self.threads <= MAX_THREADS:
            raise ConfigError(f'parameter threads is {self.threads}; allowed: 1 to {MAX_THREADS}')
        if not self.camera:
            raise ConfigError('parameter camera is empty; name the camera, e.g. head_camera')
        if self.fps < 1:
            raise ConfigError(f'parameter fps is {self.fps}; it must be at least 1')

    def runner(self) -> RunnerConfig:
        """The runner's part."""
        return RunnerConfig(
            execute=self.execute,
            blend_s=self.blend_s,
            max_observation_age_s=self.max_observation_age_s,
        )


class PolicyNode(Node):
    """Feeds a PolicySession from topics and publishes what it wants."""

    def __init__(self) -> None:
        """Loads the policy, checks that the graph can feed it, and warms it up."""
        super().__init__('policy')
        self._config = declare(self, PolicyNodeConfig)
        self._policy = OnnxPolicy(self._config.policy, threads=self._config.threads)
        contract = self._policy.contract
        if self._config.execute > contract.chunk:
            raise ConfigError(
                f'parameter execute is {self._config.execute}; allowed: 1 to {contract.chunk}, '
                'the rows of one answer, or 0 for as the policy was made'
            )
        if scene_names(contract.objects) != contract.environment_names:
            raise ConfigError(
                f'{self._config.policy} reads {", ".join(contract.environment_names)} of the '
                'scene; allowed: whole poses of objects'
            )
        self._cameras = {self._config.camera, *(camera.name for camera in contract.cameras)}
        self._check_streams()
        self._policy.warm_up()
        self._lock = threading.Lock()
        self._session = PolicySession(self._policy, self._config.camera, self._config.runner())
        self._shown = SessionState.PAUSED
        self._command = self.create_publisher(JointCommand, 'policy/command', COMMAND)
        self._status = self.create_publisher(PolicyStatus, 'policy/status', STATUS)
        for camera in sorted(self._cameras):
            topic = f'{camera}/color/image_raw/compressed'
            callback = partial(self._on_image, camera)
            self.create_subscription(CompressedImage, topic, callback, SENSOR)
        if STATE_STREAM in self._policy.streams:
            self.create_subscription(JointState, 'joint_states', self._on_joints, SENSOR)
        if SCENE_STREAM in self._policy.streams:
            self.create_subscription(SceneState, 'sim/scene', self._on_scene, SENSOR)
        self.create_service(Trigger, 'policy/start', self._on_start)
        self.create_service(Trigger, 'policy/pause', self._on_pause)
        self.create_timer(1.0 / self._config.rate_hz, self._publish_command)
        self.create_timer(STATUS_PERIOD_S, self._publish_status)
        self._work: queue.Queue[Row | None] = queue.Queue()
        self._worker = threading.Thread(target=self._infer, name='inference', daemon=True)
        self._worker.start()
        self._publish_status()
        self.get_logger().info(
            f'{self._config.policy}: {", ".join(contract.inputs)} at {contract.fps} rows/s, '
            f'chunks of {contract.chunk}; call policy/start'
        )

    def stop(self) -> None:
        """Ends the inference thread."""
        self._work.put(None)
        self._worker.join()

    def _check_streams(self) -> None:
        """Refuses a policy that this graph cannot feed, before anything moves."""
        streams = {STATE_STREAM, *self._cameras}
        needs_scene = SCENE_STREAM in self._policy.streams
        if self._config.robot == 'sim' or (needs_scene and self._somebody_publishes_scene()):
            streams.add(SCENE_STREAM)
        self._policy.contract.check_live(
            self._config.policy, fps=self._config.fps, streams=tuple(sorted(streams))
        )

    def _somebody_publishes_scene(self) -> bool:
        """Whether anyone publishes sim/scene, allowing for the time that discovery takes."""
        deadline = time.monotonic() + SCENE_WAIT_S
        while not self.count_publishers('sim/scene') and time.monotonic() < deadline:
            rclpy.spin_once(self, timeout_sec=0.1)
        return self.count_publishers('sim/scene') > 0

    def _on_image(self, camera: str, msg: CompressedImage) -> None:
        self._push(camera, *messages.compressed_from_msg(msg))

    def _on_joints(self, msg: JointState) -> None:
        sample = messages.joint_state_from_msg(msg)
        self._push(STATE_STREAM, sample.stamp_ns, sample.position)

    def _on_scene(self, msg: SceneState) -> None:
        scene = messages.scene_from_msg(msg)
        try:
            vector = scene_vector(scene.names, scene.poses, self._policy.contract.objects)
        except ConfigError as error:
            with self._lock:
                self._session.refuse(str(error))
            return
        self._push(SCENE_STREAM, scene.stamp_ns, vector)

    def _push(self, stream: str, stamp_ns: int, value: object) -> None:
        with self._lock:
            row = self._session.push(stream, stamp_ns, value)
        if row is not None and self._work.empty():
            self._work.put(row)

    def _infer(self) -> None:
        """The inference thread: one row at a time."""
        while (row := self._work.get()) is not None:
            began = time.monotonic()
            try:
                chunk = self._policy.infer(row)
            except Exception as error:  # the next row must find this thread alive
                if not isinstance(error, G1Error):
                    self.get_logger().error(f'inference: {type(error).__name__}: {error}')
                with self._lock:
                    self._session.refuse(str(error))
                continue
            with self._lock:
                self._session.accept(chunk, time.monotonic() - began)

    def _publish_command(self) -> None:
        with self._lock:
            targets = self._session.targets(self.get_clock().now().nanoseconds)
            state = self._session.state
        if targets is not None:
            self._command.publish(messages.targets_to_msg(targets))
        if state is not self._shown:
            self._publish_status()

    def _on_start(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        with self._lock:
            started = self._session.start()
        name = Path(self._config.policy).name
        response.success = True
        response.message = f'{name} runs' if started else f'{name} runs already'
        self._publish_status()
        return response

    def _on_pause(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        with self._lock:
            self._session.pause()
        response.success, response.message = True, 'the policy is quiet; the gate holds'
        self._publish_status()
        return response

    def _publish_status(self) -> None:
        with self._lock:
            report = self._session.report()
        self._shown = report.state
        msg = PolicyStatus()
        msg.header.stamp = self.get_clock().now().to_msg()
        msg.state = int(report.state)
        msg.policy = Path(self._config.policy).name
        msg.reason = report.reason
        msg.inference_p50 = report.inference_p50_s
        msg.inference_p99 = report.inference_p99_s
        msg.observation_age = report.observation_age_s
        msg.steps, msg.refused = report.steps, report.refused
        self._status.publish(msg)


def main(args: list[str] | None = None) -> int:
    """Runs the node until SIGINT or SIGTERM."""
    return run_node('policy', PolicyNode, args)


if __name__ == '__main__':
    sys.exit(main())
