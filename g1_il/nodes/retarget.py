# SPDX-License-Identifier: Apache-2.0
"""Follows the user's hands: headset frames to joint targets of arms and hands.

Says nothing until it is engaged, and then begins where the robot is. Lets go by itself when the
gate releases the arms, stops, or turns away from teleop; then it has to be engaged again on
purpose, from where the robot is by then.

Subscribes:
    xr/frame (g1_il/XrFrame), 60-90 Hz: each is answered by one command
    joint_states (sensor_msgs/JointState): where to begin
    gate/status (g1_il/GateStatus): when to let go
Publishes:
    teleop/command (g1_il/JointCommand), at the rate of xr/frame while engaged
Services:
    retarget/engage, retarget/disengage (std_srvs/Trigger)

    ros2 run g1_il retarget --ros-args -p rate_hz:=72.0
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from g1_il.errors import ConfigError, G1Error
from g1_il.msg import GateStatus, JointCommand, XrFrame
from g1_il.retarget.retargeter import RetargetConfig, Retargeter
from g1_il.ros import messages
from g1_il.ros.params import declare
from g1_il.ros.qos import COMMAND, SENSOR, STATUS
from g1_il.ros.run_node import run_node
from g1_il.ros.samples import JointSample

LET_GO = (GateStatus.DISARMED, GateStatus.RELEASING, GateStatus.FAULT)
SOURCE = 'teleop'
MAX_STATE_AGE_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class RetargetNodeConfig:
    """Parameters of the node."""

    rate_hz: float = field(
        default=60.0, metadata={'description': 'rate of the headset [Hz]; 10 to 240'}
    )
    head_offset_m: tuple[float, ...] = field(
        default=(0.15, 0.0, 0.45),
        metadata={'description': "place of the user's head in the robot's pelvis frame [m]"},
    )

    def __post_init__(self) -> None:
        self.retargeting()

    def retargeting(self) -> RetargetConfig:
        """The part that retargeting needs, checked."""
        if len(self.head_offset_m) != 3:
            raise ConfigError(
                f'parameter head_offset_m is {list(self.head_offset_m)}; it wants three numbers'
            )
        x, y, z = self.head_offset_m
        return RetargetConfig(rate_hz=self.rate_hz, head_offset_m=(x, y, z))


class RetargetNode(Node):
    """A Retargeter between topics."""

    def __init__(self) -> None:
        """Builds the models, then subscribes."""
        super().__init__('retarget')
        self._retargeter = Retargeter(declare(self, RetargetNodeConfig).retargeting())
        self._measured: JointSample | None = None
        self._measured_s = 0.0
        self._gate: int | None = None
        self._source = ''
        self._refused = 0
        self._command = self.create_publisher(JointCommand, 'teleop/command', COMMAND)
        self.create_subscription(XrFrame, 'xr/frame', self._on_frame, SENSOR)
        self.create_subscription(JointState, 'joint_states', self._on_joints, SENSOR)
        self.create_subscription(GateStatus, 'gate/status', self._on_gate, STATUS)
        self.create_service(Trigger, 'retarget/engage', self._on_engage)
        self.create_service(Trigger, 'retarget/disengage', self._on_disengage)
        self.get_logger().info('ready; call retarget/engage')

    def _on_frame(self, msg: XrFrame) -> None:
        if not self._retargeter.engaged:
            return
        targets = self._retargeter.step(messages.frame_from_msg(msg))
        if targets is not None:
            self._command.publish(messages.targets_to_msg(targets))

    def _on_joints(self, msg: JointState) -> None:
        try:
            self._measured = messages.joint_state_from_msg(msg)
            self._measured_s = time.monotonic()
        except G1Error as error:
            self._refused += 1
            if self._refused == 1:
                self.get_logger().error(f'joint_states refused: {error}')

    def _on_gate(self, msg: GateStatus) -> None:
        changed, self._gate = msg.state != self._gate, msg.state
        left, self._source = self._source == SOURCE != msg.source, msg.source
        if self._retargeter.engaged and (left or (changed and msg.state in LET_GO)):
            self._retargeter.disengage()
            self.get_logger().info(f'disengaged: the gate let go {msg.reason}'.rstrip())

    def _on_engage(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success, response.message = self._engage()
        return response

    def _engage(self) -> tuple[bool, str]:
        if self._measured is None:
            return False, 'no joint_states have come yet; is the bridge running?'
        if self._gate in LET_GO:
            return False, 'the gate has not got the arms; call gate/arm first'
        age_s = time.monotonic() - self._measured_s
        if age_s > MAX_STATE_AGE_S:
            return False, f'the newest joint_states are {age_s:.2f} s old; is the bridge running?'
        try:
            self._retargeter.engage(self._measured.position)
        except ValueError as error:
            return False, str(error)
        return True, 'following the hands'

    def _on_disengage(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        self._retargeter.disengage()
        response.success, response.message = True, 'quiet; the gate holds'
        return response


def main(args: list[str] | None = None) -> int:
    """Runs the node until SIGINT or SIGTERM."""
    return run_node('retarget', RetargetNode, args)


if __name__ == '__main__':
    sys.exit(main())
