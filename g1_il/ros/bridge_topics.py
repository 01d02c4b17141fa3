# SPDX-License-Identifier: Apache-2.0
"""What the bridge publishes, from nouns to topics."""

from __future__ import annotations

import math

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node
from sensor_msgs.msg import Imu, JointState

from g1_il.link.bridge_config import BridgeConfig
from g1_il.link.topics import SIDES
from g1_il.link.unitree_link import UnitreeLink
from g1_il.msg import GateStatus, HandTouch, JointCommand, RobotHealth
from g1_il.ros import messages
from g1_il.ros.qos import EVENT, SENSOR, STATUS
from g1_il.safety.control_loop import ControlLoop
from g1_il.safety.health import tilt
from g1_il.safety.report import GateState

UNHEARD_S = 3
"""A robot that is silent for so long is told of [s]."""


class BridgeTopics:
    """Publishers of the bridge, and the timers that drive them."""

    def __init__(
        self, node: Node, link: UnitreeLink, loop: ControlLoop, config: BridgeConfig
    ) -> None:
        """Creates publishers and timers on a node.

        Args:
            node: The bridge.
            link: The robot.
            loop: The gate.
            config: The rates.
        """
        self._node = node
        self._link = link
        self._where = f'domain {config.robot_domain} on {config.interface or "any interface"}'
        self._is_heard = False
        self._unheard = 0
        self._loop = loop
        self._state_ns = -1
        self._touch_ns = dict.fromkeys(SIDES, -1)
        self._shown = loop.report
        self._joints = node.create_publisher(JointState, 'joint_states', SENSOR)
        self._imu = node.create_publisher(Imu, 'imu', SENSOR)
        self._executed = node.create_publisher(JointCommand, 'executed_command', EVENT)
        self._touch = {
            side: node.create_publisher(HandTouch, f'dex3/{side}/touch', SENSOR) for side in SIDES
        }
        self._health = node.create_publisher(RobotHealth, 'robot/health', SENSOR)
        self._status = node.create_publisher(GateStatus, 'gate/status', STATUS)
        self._diagnostics = node.create_publisher(DiagnosticArray, '/diagnostics', EVENT)
        for rate_hz, publish in (
            (config.state_rate_hz, self._publish_state),
            (config.executed_rate_hz, self._publish_executed),
            (config.touch_rate_hz, self._publish_touch),
            (5.0, self.publish_status),
            (2.0, self._publish_health),
            (1.0, self._publish_diagnostics),
        ):
            node.create_timer(1.0 / rate_hz, publish)

    def _publish_state(self) -> None:
        state = self._loop.state
        if state is not None and state.stamp_ns != self._state_ns:
            self._state_ns = state.stamp_ns
            self._joints.publish(messages.joint_state_to_msg(state))
            self._imu.publish(messages.imu_to_msg(state))
        report = self._loop.report
        if (report.state, report.source) != (self._shown.state, self._shown.source):
            self.publish_status()

    def _publish_executed(self) -> None:
        for sent in self._loop.take_executed():
            self._executed.publish(
                messages.executed_to_msg(sent.command, stamp_ns=sent.stamp_ns, source=sent.source)
            )

    def _publish_touch(self) -> None:
        for side in SIDES:
            reading = self._link.touch(side)
            if reading is None or reading.stamp_ns == self._touch_ns[side]:
                continue
            self._touch_ns[side] = reading.stamp_ns
            msg = HandTouch()
            msg.header.stamp = messages.ns_to_stamp(reading.stamp_ns)
            msg.header.frame_id = f'{side}_hand_palm_link'
            msg.pressure = reading.pressure
            msg.temperature = reading.temperature
            self._touch[side].publish(msg)

    def publish_status(self) -> None:
        """gate/status, now: called on every change that is known here, too."""
        report = self._loop.report
        if report.reason and report.reason != self._shown.reason:
            self._node.get_logger().warning(f'{report.state.name}: {report.reason}')
        self._shown = report
        msg = GateStatus()
        msg.header.stamp = self._node.get_clock().now().to_msg()
        msg.state = int(report.state)
        msg.source = report.source
        msg.reason = report.reason
        msg.weight = float(report.weight)
        msg.intervention_name = list(report.interventions)
        msg.intervention_count = list(report.interventions.values())
        self._status.publish(msg)

    def _publish_health(self) -> None:
        health, state = self._link.health(), self._loop.state
        msg = RobotHealth()
        msg.header.stamp = self._node.get_clock().now().to_msg()
        msg.mode_machine = max(health.mode_machine, 0)
        msg.lowstate_rate = health.lowstate_rate_hz
        msg.lowstate_age = health.lowstate_age_s
        msg.left_hand_age, msg.right_hand_age = health.hand_age_s
        msg.crc_errors = health.crc_errors
        msg.casing_temperature_max = msg.winding_temperature_max = msg.tilt = math.nan
        if state is not None:
            msg.mode_pr = state.mode_pr
            msg.casing_temperature_max = float(np.max(state.casing_temperature))
            msg.winding_temperature_max = float(np.max(state.winding_temperature))
            msg.tilt = tilt(state)
        self._health.publish(msg)

    def _tell_link(self, silent: bool) -> None:
        """Logs that the robot is heard, once, and that it is not, again and again."""
        log = self._node.get_logger()
        self._unheard = self._unheard + 1 if silent else 0
        if not silent and not self._is_heard:
            self._is_heard = True
            log.info(f'hears the robot in {self._where}')
        elif self._unheard >= UNHEARD_S:
            self._is_heard = False
            log.warning(
                f'hears no robot in {self._where}; is it on, and interface:= the one to it?',
                throttle_duration_sec=10.0,
            )

    def _publish_diagnostics(self) -> None:
        report, health = self._loop.report, self._link.health()
        link_age_s = health.lowstate_age_s
        silent = math.isnan(link_age_s) or link_age_s > 1.0
        self._tell_link(silent)
        link_text = 'no state from the robot' if silent else 'connected'
        msg = DiagnosticArray()
        msg.header.stamp = self._node.get_clock().now().to_msg()
        msg.status = [
            _diagnostic(
                'bridge: gate',
                DiagnosticStatus.ERROR if report.state is GateState.FAULT else DiagnosticStatus.OK,
                report.reason or report.state.name,
                {
                    'source': report.source,
                    'weight': f'{report.weight:.2f}',
                    'control steps skipped': str(self._loop.overruns),
                    **{kind: str(count) for kind, count in report.interventions.items()},
                },
            ),
            _diagnostic(
                'bridge: link',
                DiagnosticStatus.ERROR if silent else DiagnosticStatus.OK,
                link_text,
                {
                    'lowstate rate [Hz]': f'{health.lowstate_rate_hz:.0f}',
                    'lowstate age [s]': f'{link_age_s:.3f}',
                    'left hand age [s]': f'{health.hand_age_s[0]:.3f}',
                    'right hand age [s]': f'{health.hand_age_s[1]:.3f}',
                    'crc errors': str(health.crc_errors),
                    'malformed messages': str(health.malformed),
                    'mode_machine': str(health.mode_machine),
                },
            ),
        ]
        self._diagnostics.publish(msg)


def _diagnostic(name: str, level: bytes, message: str, values: dict[str, str]) -> DiagnosticStatus:
    status = DiagnosticStatus()
    status.name, status.level, status.message = name, level, message
    status.values = [KeyValue(key=key, value=value) for key, value in values.items()]
    return status
