# SPDX-License-Identifier: Apache-2.0
"""The simulated robot: a G1 on Unitree's wire, with a head camera and a scene to work in.

It takes Unitree's commands in the robot's DDS domain (rt/arm_sdk, rt/lowcmd, rt/dex3/*/cmd) and
answers with rt/lowstate and rt/dex3/*/state, so the bridge cannot tell it from a robot. It holds
the last command for ever. In the graph's own domain it is a camera and the scene's ground truth.

Publishes:
    head_camera/color/image_raw/compressed (sensor_msgs/CompressedImage), camera_rate_hz
    head_camera/color/camera_info (sensor_msgs/CameraInfo), with every picture
    head_camera/color/image_raw (sensor_msgs/Image), only while somebody subscribes
    sim/scene (g1_il/SceneState), camera_rate_hz, with the picture's stamp
Services:
    sim/reset (g1_il/ResetScene): a start that the seed determines; the robot goes back to its
    start only while its own controller has it (weight 0)

    ros2 run g1_il sim --ros-args -p task:=pick_place
"""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import dataclass, field

from rclpy.node import Node

from g1_il.camera.capture import Capture, intrinsics_from_fovy
from g1_il.errors import ConfigError
from g1_il.link.unitree_robot import UnitreeRobot
from g1_il.msg import SceneState
from g1_il.robot.mjcf import HEAD_CAMERA, HEAD_CAMERA_FOVY_DEG
from g1_il.ros.camera_topics import CameraTopics
from g1_il.ros.messages import scene_to_msg
from g1_il.ros.params import declare
from g1_il.ros.qos import SENSOR
from g1_il.ros.run_node import run_node
from g1_il.sim.realtime import Rates, RealTimeRobot
from g1_il.sim.simulator import Simulator
from g1_il.srv import ResetScene

VIEW_TIMEOUT_S = 0.5
REPORT_PERIOD_S = 10.0
LATE_S = 0.010
SWITCH_INTERVAL_S = 0.0005

RELEASE_TIMEOUT_S = 6.0
RELEASE_POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class SimConfig:
    """Parameters of the node."""

    interface: str = field(
        default='lo', metadata={'description': "network interface of the robot's domain"}
    )
    robot_domain: int = field(
        default=1, metadata={'description': "the robot's DDS domain, 0 to 232; not the graph's"}
    )
    task: str = field(default='pick_place', metadata={'description': 'scene to simulate'})
    seed: int = field(default=0, metadata={'description': 'of the first start; 0 or more'})
    lowstate_rate_hz: float = field(
        default=500.0, metadata={'description': 'rate of rt/lowstate [Hz]; 1 to 500'}
    )
    hand_rate_hz: float = field(
        default=100.0, metadata={'description': 'rate of rt/dex3/*/state [Hz]; 1 to 500'}
    )
    camera_rate_hz: float = field(
        default=30.0, metadata={'description': 'rate of pictures and sim/scene [Hz]; 1 to 60'}
    )
    camera_width: int = field(default=640, metadata={'description': 'picture width [px]'})
    camera_height: int = field(default=480, metadata={'description': 'picture height [px]'})
    jpeg_quality: int = field(default=90, metadata={'description': 'JPEG quality, 1 to 100'})
    render: bool = field(
        default=True, metadata={'description': 'false: no head camera, no OpenGL needed'}
    )

    def __post_init__(self) -> None:
        if str(self.robot_domain) == os.environ.get('ROS_DOMAIN_ID', '0').strip():
            raise ConfigError(
                f"parameter robot_domain is {self.robot_domain}, which is the graph's own domain "
                'too; set another: export ROS_DOMAIN_ID=42, or -p robot_domain:=1'
            )
        if not 0 <= self.robot_domain <= 232:
            raise ConfigError(f'parameter robot_domain is {self.robot_domain}; allowed: 0 to 232')
        for name in ('camera_width', 'camera_height'):
            value = getattr(self, name)
            if not 16 <= value <= 1920:
                raise ConfigError(f'parameter {name} is {value}; allowed: 16 to 1920')
        if not 1.0 <= self.camera_rate_hz <= 60.0:
            raise ConfigError(
                f'parameter camera_rate_hz is {self.camera_rate_hz}; allowed: 1 to 60'
            )


class SimNode(Node):
    """Ties simulator, wire and topics together."""

    def __init__(self) -> None:
        """Opens everything, then lets the physics run."""
        super().__init__('sim')
        self._config = declare(self, SimConfig)
        config = self._config
        self._simulator = Simulator(task=config.task)
        self._simulator.reset(config.seed)
        self._scene = self.create_publisher(SceneState, 'sim/scene', SENSOR)
        self._camera: CameraTopics | None = None
        if config.render:
            self._camera = CameraTopics(self, HEAD_CAMERA, jpeg_quality=config.jpeg_quality)
        self._wire = UnitreeRobot(domain=config.robot_domain, interface=config.interface)
        self._robot = RealTimeRobot(
            self._simulator,
            self._wire,
            Rates(
                lowstate_hz=config.lowstate_rate_hz,
                hand_hz=config.hand_rate_hz,
                view_hz=config.camera_rate_hz,
            ),
        )
        self._failure: BaseException | None = None
        self._ready = threading.Event()
        self._seen = threading.Thread(target=self._show, name='camera', daemon=True)
        self.create_service(ResetScene, 'sim/reset', self._on_reset)
        self.create_timer(REPORT_PERIOD_S, self._report)
        self.create_timer(VIEW_TIMEOUT_S, self._check)
        # Making an OpenGL context takes long: before the clock runs.
        self._seen.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure
        self._robot.start()
        self.get_logger().info(
            f'G1 in domain {config.robot_domain} on {config.interface or "any interface"}, '
            f'task {config.task}, LowState at {config.lowstate_rate_hz:g} Hz'
        )

    def stop(self) -> None:
        """Ends both threads and leaves the wire, once nobody holds the arms any more.

        A robot does not vanish when a terminal is interrupted: the bridge, which gets the same
        Ctrl-C, still has to give the arms back.
        """
        until = time.monotonic() + RELEASE_TIMEOUT_S
        while self._is_held() and time.monotonic() < until:
            time.sleep(RELEASE_POLL_S)
        self._robot.stop()
        self._seen.join()
        self._wire.close()

    def _is_held(self) -> bool:
        command = self._wire.command()
        return command is not None and command.weight > 0.0

    def _show(self) -> None:
        """Publishes every view: in a thread of its own, since drawing takes milliseconds."""
        config = self._config
        size = {'width': config.camera_width, 'height': config.camera_height}
        renderer = self._simulator.renderer(**size)
        lens = intrinsics_from_fovy(**size, fovy_deg=HEAD_CAMERA_FOVY_DEG)
        try:
            if self._camera is not None:
                renderer.open()
            self._ready.set()
            while True:
                view = self._robot.next_view(VIEW_TIMEOUT_S)
                if view is None:
                    if self._robot.stopped:
                        return
                    continue
                self._scene.publish(scene_to_msg(view.scene))
                if self._camera is not None:
                    picture = renderer.render(view.position, HEAD_CAMERA)
                    self._camera.publish(
                        Capture(stamp_ns=view.stamp_ns, image=picture, intrinsics=lens)
                    )
        except Exception as error:  # reported by the main thread, which ends the node
            self._failure = error
        finally:
            self._ready.set()
            renderer.close()

    def _check(self) -> None:
        failure = self._failure or self._robot.failure
        if failure is not None:
            raise failure

    def _on_reset(
        self, request: ResetScene.Request, response: ResetScene.Response
    ) -> ResetScene.Response:
        try:
            robot = self._robot.reset(request.seed)
        except ConfigError as error:
            response.success, response.message = False, str(error)
            return response
        response.success = True
        response.message = (
            f'scene and robot at the start of seed {request.seed}'
            if robot
            else f'scene at the start of seed {request.seed}; the robot is being commanded and '
            'stays where it is'
        )
        return response

    def _report(self) -> None:
        late = self._robot.lateness()
        text = (
            f'{late.rate_hz:.0f} steps/s, worst step {late.worst_s * 1e3:.1f} ms '
            f'late, {late.lost_s:.3f} s given up'
        )
        if late.lost_s > 0.0:
            self.get_logger().warning(f'slower than real time: {text}')
        elif late.worst_s > LATE_S:
            self.get_logger().info(text)
        counts = self._wire.counts
        refused = counts.crc + counts.mode_machine + counts.malformed
        if refused:
            self.get_logger().warning(
                f'commands refused since start: checksum {counts.crc}, '
                f'mode_machine {counts.mode_machine}, malformed {counts.malformed}'
            )


def main(args: list[str] | None = None) -> int:
    """Runs the node until SIGINT or SIGTERM."""
    # Another thread's Python may keep the physics waiting for no longer than this.
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    return run_node('sim', SimNode, args)


if __name__ == '__main__':
    sys.exit(main())
