# SPDX-License-Identifier: Apache-2.0
"""The one way to the robot: safety gate on a thread of its own, topics around it.

Whatever ends this process, short of SIGKILL, the arms go to rest and the weight ramps out within
4 s, without rclpy; repeated signals change nothing. After a SIGKILL the robot holds the last
command: the next bridge on this machine finds a note of it and begins in FAULT, so that gate/reset
gives the arms back in a ramp; arming at once would drop them.

Subscribes:
    teleop/command, policy/command, replay/command (g1_il/JointCommand), 30-100 Hz
    gate/estop (std_msgs/Empty): stop at once
Publishes:
    joint_states (sensor_msgs/JointState), imu (sensor_msgs/Imu), state_rate_hz
    executed_command (g1_il/JointCommand), executed_rate_hz while armed: what was really sent
    dex3/left/touch, dex3/right/touch (g1_il/HandTouch), touch_rate_hz
    robot/health (g1_il/RobotHealth), 2 Hz
    gate/status (g1_il/GateStatus), on change and at 5 Hz
    /diagnostics (diagnostic_msgs/DiagnosticArray), 1 Hz
Services:
    gate/arm, gate/disarm, gate/estop, gate/reset (std_srvs/Trigger)
    gate/select_source (g1_il/SelectSource)

    ros2 run g1_il bridge --ros-args -p interface:=eth0 -p robot_domain:=0
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import Empty
from std_srvs.srv import Trigger

from g1_il.errors import ConfigError
from g1_il.link.bridge_config import BridgeConfig
from g1_il.link.unitree_link import UnitreeLink
from g1_il.msg import JointCommand
from g1_il.ros import messages
from g1_il.ros.bridge_topics import BridgeTopics
from g1_il.ros.params import declare, refuse_unknown
from g1_il.ros.qos import COMMAND, EVENT
from g1_il.ros.run_node import init_ros
from g1_il.safety.config import SOURCES, GateConfig
from g1_il.safety.control_loop import ControlLoop
from g1_il.safety.gate import LEFT_HELD
from g1_il.safety.hold_note import HoldNote, note_path
from g1_il.safety.stop_signals import StopSignals
from g1_il.srv import SelectSource

POLL_S = 0.2
"""How soon a dead thread is noticed; signals are noticed at once."""


class BridgeNode(Node):
    """Topics and services around a control loop."""

    def __init__(self) -> None:
        """Declares parameters, connects to the robot, then offers topics and services."""
        super().__init__('bridge')
        config, gate_config = declare(self, BridgeConfig), declare(self, GateConfig)
        refuse_unknown(self)
        self.link = UnitreeLink(
            domain=config.robot_domain,
            interface=config.interface,
            accept_zero_crc=config.accept_zero_crc,
        )
        note = HoldNote(note_path(config.robot_domain))
        self.loop = ControlLoop(
            gate_config,
            self.link,
            executed_rate_hz=config.executed_rate_hz,
            note=note,
            obstacle=self.link.obstacle,
            log=self.get_logger().error,
        )
        if note.was_left:
            self.get_logger().warning(f'{LEFT_HELD} (the note of it is {note.path})')
        self._topics = BridgeTopics(self, self.link, self.loop, config)
        for source in SOURCES:
            self.create_subscription(
                JointCommand, f'{source}/command', self._command_handler(source), COMMAND
            )
        self.create_subscription(Empty, 'gate/estop', lambda _: self._ask(self.loop.estop), EVENT)
        for name in ('arm', 'disarm', 'estop', 'reset'):
            self.create_service(Trigger, f'gate/{name}', self._trigger(getattr(self.loop, name)))
        self.create_service(SelectSource, 'gate/select_source', self._on_select)

    def _command_handler(self, source: str) -> Callable[[JointCommand], None]:
        def handle(msg: JointCommand) -> None:
            try:
                targets = messages.targets_from_msg(msg)
            except messages.MessageError as error:
                self.loop.refuse(source)
                self.get_logger().warning(f'{source}/command: {error}', throttle_duration_sec=1.0)
                return
            self.loop.offer(replace(targets, source=source))

        return handle

    def _ask(self, question: Callable[[], tuple[bool, str]]) -> tuple[bool, str]:
        done, message = question()
        log = self.get_logger()
        (log.info if done else log.warning)(message)
        self._topics.publish_status()
        return done, message

    def _trigger(self, question: Callable[[], tuple[bool, str]]) -> Callable[..., Any]:
        def handle(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            response.success, response.message = self._ask(question)
            return response

        return handle

    def _on_select(
        self, request: SelectSource.Request, response: SelectSource.Response
    ) -> SelectSource.Response:
        response.success, response.message = self._ask(
            lambda: self.loop.select_source(request.source)
        )
        return response


def _wait_for_end(loop: ControlLoop, spinner: threading.Thread, signals: StopSignals) -> str:
    """Waits until a signal comes or a thread has died; says which thread, or nothing."""
    while loop.alive:
        if not spinner.is_alive():
            return 'the ROS thread has died'
        if signals.wait(POLL_S):
            return ''
    return 'the control thread has died'


def main(args: list[str] | None = None) -> int:
    """Runs the node until a signal comes, then releases the robot.

    ROS spins, and may die, on a thread of its own; this one only waits.
    """
    signals = StopSignals()
    try:
        init_ros(args, signal_handler_options=SignalHandlerOptions.NO)
        node = BridgeNode()
    except ConfigError as error:
        print(f'bridge: {error}', file=sys.stderr)
        rclpy.try_shutdown()
        return 2
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    spinner = threading.Thread(target=executor.spin, name='ros', daemon=True)
    failure = 'an exception'
    try:
        node.loop.start()
        spinner.start()
        failure = _wait_for_end(node.loop, spinner, signals)
    finally:
        released = node.loop.release()
        executor.shutdown(timeout_sec=1.0)
        spinner.join(timeout=1.0)
        node.link.close()
        rclpy.try_shutdown()
        signals.ignore()
        if failure or not released:
            what = 'released' if released else 'NOT released, it holds the last command'
            print(f'bridge: {failure or "ended"}; robot {what}', file=sys.stderr)
    return 0 if released and not failure else 1


if __name__ == '__main__':
    sys.exit(main())
