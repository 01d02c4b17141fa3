# SPDX-License-Identifier: Apache-2.0
"""What an operator does with the graph, as calls: engage, release, stop, record."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from std_msgs.msg import Empty
from std_srvs.srv import Trigger

from g1_il.msg import EpisodeStatus, GateStatus
from g1_il.ros.qos import EVENT, STATUS
from g1_il.srv import SelectSource, StartEpisode, StopEpisode

SERVICE_WAIT_S = 2.0
ANSWER_WAIT_S = 10.0
ARMING_WAIT_S = 10.0

ARMED = (GateStatus.HOLD, GateStatus.ACTIVE)
STATE_NAMES = {
    getattr(GateStatus, name): name
    for name in ('DISARMED', 'ARMING', 'HOLD', 'ACTIVE', 'RELEASING', 'FAULT')
}


class Desk:
    """Calls the services of bridge, retargeting and recorder; each answer is one sentence.

    The calls wait for answers, so they belong on another thread than the node's executor.
    `estop` never waits.

    Attributes:
        gate: Newest gate/status; None before the first.
        episode: Newest episode/status; None before the first.
    """

    def __init__(self, node: Node, *, source: str, task: str, operator: str) -> None:
        """Opens topics and services on a node.

        Args:
            node: Whose executor runs elsewhere.
            source: Source that `engage` selects.
            task: Task text of episodes.
            operator: Who shows the task.
        """
        self._node = node
        self._source, self._task, self._operator = source, task, operator
        self.gate: GateStatus | None = None
        self._gate_s = 0.0
        self.episode: EpisodeStatus | None = None
        self._changed = threading.Condition()
        self._estop = node.create_publisher(Empty, 'gate/estop', EVENT)
        self._clients = {
            name: node.create_client(kind, name)
            for name, kind in (
                ('gate/arm', Trigger),
                ('gate/disarm', Trigger),
                ('gate/reset', Trigger),
                ('gate/select_source', SelectSource),
                ('retarget/engage', Trigger),
                ('retarget/disengage', Trigger),
                ('episode/start', StartEpisode),
                ('episode/stop', StopEpisode),
            )
        }
        node.create_subscription(GateStatus, 'gate/status', self._on_gate, STATUS)
        node.create_subscription(EpisodeStatus, 'episode/status', self._on_episode, STATUS)

    @property
    def recording(self) -> bool:
        """True while an episode is being recorded."""
        return self.episode is not None and self.episode.state == EpisodeStatus.RECORDING

    @property
    def released(self) -> bool:
        """True when the robot's own controller has the arms."""
        return self.gate is not None and self.gate.state == GateStatus.DISARMED

    @property
    def silence_s(self) -> float:
        """Time since the newest gate/status came [s]; the bridge sends 5 a second."""
        return 0.0 if self.gate is None else time.monotonic() - self._gate_s

    def estop(self) -> str:
        """Stops the robot by topic, which every middleware delivers."""
        self._estop.publish(Empty())
        if not self._estop.get_subscription_count():
            return 'NOBODY HEARS the e-stop, no bridge is there: use the remote'
        return 'e-stop sent'

    def engage(self) -> str:
        """Arms, waits for the ramp, selects the source and engages retargeting.

        In FAULT it only resets: driving on takes a second, deliberate call.
        """
        if self.gate is None:
            return 'no gate/status has come: is the bridge running, in this ROS_DOMAIN_ID?'
        if self.gate.state == GateStatus.FAULT:
            return f'reset: {self._call("gate/reset")[1]}; call again to arm'
        done, message = self._call('gate/arm')
        if not done:
            return message
        if not self._wait_for(lambda gate: gate.state in ARMED, ARMING_WAIT_S):
            return f'the gate did not arm: {self._gate_in_words()}'
        steps: list[tuple[str, Any]] = [
            ('gate/select_source', SelectSource.Request(source=self._source))
        ]
        if self._source == 'teleop':
            steps.append(('retarget/engage', None))
        for name, request in steps:
            done, message = self._call(name, request)
            if not done:
                return f'{name}: {message}'
        return f'engaged: the robot follows {self._source} from its next command'

    def release(self) -> str:
        """Disengages retargeting and gives the arms back."""
        if self._source == 'teleop' and self._clients['retarget/disengage'].service_is_ready():
            self._call('retarget/disengage')
        return self._call('gate/disarm')[1]

    def start_episode(self) -> str:
        """Begins to record."""
        request = StartEpisode.Request(task=self._task, operator=self._operator)
        return self._call('episode/start', request)[1]

    def stop_episode(self, outcome: str) -> str:
        """Ends the recording with an outcome: success, failure or discard."""
        return self._call('episode/stop', StopEpisode.Request(outcome=outcome))[1]

    def _call(self, name: str, request: Any = None) -> tuple[bool, str]:
        """Calls a service, which may be missing or silent; that is an answer, too."""
        client = self._clients[name]
        if not client.wait_for_service(timeout_sec=SERVICE_WAIT_S):
            return False, f'nobody offers {name}'
        answered = threading.Event()
        future = client.call_async(Trigger.Request() if request is None else request)
        future.add_done_callback(lambda _: answered.set())
        if not answered.wait(ANSWER_WAIT_S):
            return False, f'{name} does not answer'
        answer = future.result()
        return bool(answer.success), str(answer.message)

    def _wait_for(self, condition: Callable[[GateStatus], bool], seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(
                lambda: (
                    self.gate is not None
                    and (condition(self.gate) or self.gate.state == GateStatus.FAULT)
                ),
                seconds,
            ) and condition(self.gate)

    def _gate_in_words(self) -> str:
        gate = self.gate
        return '' if gate is None else f'{STATE_NAMES.get(gate.state, "?")} {gate.reason}'.strip()

    def _on_gate(self, msg: GateStatus) -> None:
        with self._changed:
            self.gate, self._gate_s = msg, time.monotonic()
            self._changed.notify_all()

    def _on_episode(self, msg: EpisodeStatus) -> None:
        self.episode = msg
