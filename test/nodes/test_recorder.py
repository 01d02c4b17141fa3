# SPDX-License-Identifier: Apache-2.0
"""The recorder as a process: recorded, stopped, interrupted, killed, with the disk full."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, JointState

from g1_il.episodes import folder as folders
from g1_il.episodes.card import load_card
from g1_il.msg import EpisodeStatus, GateStatus
from g1_il.robot.joints import ALL_JOINTS
from g1_il.ros.bag import read_bag
from g1_il.ros.messages import compressed_to_msg, doubles, ns_to_stamp
from g1_il.ros.qos import SENSOR, STATUS
from g1_il.srv import StartEpisode, StopEpisode

IMAGE = 'head_camera/color/image_raw/compressed'
PERIOD_S = 0.01
WAIT_S = 30.0


class Robot(Node):
    """Publishes numbered joint states at 100 Hz, pictures at 33 Hz, and one latched status."""

    def __init__(self, context: Context) -> None:
        super().__init__('robot', context=context)
        self.sent = 0
        self.joints = self.create_publisher(JointState, 'joint_states', SENSOR)
        self.images = self.create_publisher(CompressedImage, IMAGE, SENSOR)
        self.gate = self.create_publisher(GateStatus, 'gate/status', STATUS)
        self.gate.publish(GateStatus(state=GateStatus.HOLD, reason='latched'))
        self.status: list[EpisodeStatus] = []
        self.create_subscription(EpisodeStatus, 'episode/status', self.status.append, STATUS)
        self.start = self.create_client(StartEpisode, 'episode/start')
        self.stop = self.create_client(StopEpisode, 'episode/stop')
        self.create_timer(PERIOD_S, self.tick)

    def tick(self) -> None:
        now_ns = self.get_clock().now().nanoseconds
        msg = JointState(name=list(ALL_JOINTS), position=doubles(np.full(43, float(self.sent))))
        msg.header.stamp = ns_to_stamp(now_ns)
        self.joints.publish(msg)
        if self.sent % 3 == 0:
            data = self.sent.to_bytes(8, 'little') * 2000
            self.images.publish(compressed_to_msg(data, stamp_ns=now_ns, frame_id='camera'))
        self.sent += 1


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f'waited {WAIT_S} s in vain for {what}')


class Graph:
    """A robot in this process and a recorder in another."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.context = Context()
        rclpy.init(context=self.context)
        self.robot = Robot(self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.robot)
        self.thread = threading.Thread(target=self.executor.spin, daemon=True)
        self.thread.start()
        self.process: subprocess.Popen[str] | None = None

    def launch(self, *parameters: str) -> None:
        arguments = [item for p in (f'out:={self.out}', *parameters) for item in ('-p', p)]
        self.robot.status.clear()
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'g1_il.nodes.recorder', '--ros-args', *arguments],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, 'PYTHONUNBUFFERED': '1'},
        )
        wait_for(lambda: self.rate('joint_states') > 20, 'the recorder to hear joint_states')
        wait_for(self.robot.start.service_is_ready, 'episode/start')
        wait_for(self.robot.stop.service_is_ready, 'episode/stop')

    def rate(self, topic: str) -> float:
        if not self.robot.status:
            return 0.0
        status = self.robot.status[-1]
        return dict(zip(status.topic, status.rate, strict=True))[topic]

    def call(self, client: Any, **fields: str) -> Any:
        future = client.call_async(client.srv_type.Request(**fields))
        wait_for(future.done, client.srv_name)
        return future.result()

    def record(self, seconds: float) -> str:
        answer = self.call(self.robot.start, task='put it in', operator='test')
        assert answer.success, answer.message
        first = self.robot.sent
        wait_for(lambda: self.robot.sent - first > seconds / PERIOD_S, 'messages')
        return answer.episode_id

    def end(self, number: int) -> tuple[int, str]:
        assert self.process is not None
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=WAIT_S)
        return self.process.returncode, errors

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        self.executor.shutdown()
        self.thread.join()
        self.robot.destroy_node()
        rclpy.shutdown(context=self.context)


@pytest.fixture
def graph(ros_domain: int, tmp_path: Path) -> Iterator[Graph]:
    graph = Graph(tmp_path / 'episodes')
    yield graph
    graph.close()


def numbers(folder: Path) -> list[int]:
    from g1_il.ros.cdr import decode_joint_state

    data = read_bag(folder)['/joint_states'].data
    return [int(decode_joint_state(item).position[0]) for item in data]


def test_records_refuses_discards_and_says_what_it_does(graph: Graph) -> None:
    graph.launch()
    robot = graph.robot
    assert not graph.call(robot.stop, outcome='success').success
    refused = graph.call(robot.start, task=' ')
    assert not refused.success and 'needs a task' in refused.message

    episode_id = graph.record(1.0)
    again = graph.call(robot.start, task='another')
    assert not again.success and episode_id in again.message
    wait_for(lambda: robot.status[-1].state == EpisodeStatus.RECORDING, 'the status')
    assert robot.status[-1].episode_id == episode_id
    wrong = graph.call(robot.stop, outcome='fine')
    assert not wrong.success and 'success, failure, discard' in wrong.message
    done = graph.call(robot.stop, outcome='success', notes='neat')
    assert done.success, done.message
    folder = Path(done.path)
    assert folder == graph.out / 'put_it_in' / episode_id
    card = load_card(folder)
    assert (card.outcome, card.notes, card.operator) == ('success', 'neat', 'test')
    assert card.topics['/joint_states'].messages >= 100

    seen = numbers(folder)
    assert seen == list(range(seen[0], seen[-1] + 1)), 'every message, in order'
    bag = read_bag(folder)
    frames = [int.from_bytes(item[-8:], 'little') for item in bag[f'/{IMAGE}'].data]
    assert frames == list(range(frames[0], frames[-1] + 1, 3))
    assert len(bag['/gate/status'].data) == 1, 'what was latched before the start is in it'
    assert (bag['/joint_states'].receive_ns >= bag['/joint_states'].stamp_ns).all()

    graph.record(0.2)
    discarded = graph.call(robot.stop, outcome='discard')
    assert '/.trash/' in discarded.path and Path(discarded.path).is_dir()
    assert folders.find_episodes(graph.out) == [folder]
    wait_for(lambda: robot.status[-1].state == EpisodeStatus.IDLE, 'the status')
    assert robot.status[-1].episodes_saved == 1
    code, errors = graph.end(signal.SIGINT)
    assert code == 0 and 'Traceback' not in errors


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_signal_while_recording_saves_the_episode_flagged(graph: Graph, number: int) -> None:
    graph.launch()
    graph.record(0.5)
    code, errors = graph.end(number)
    assert code == 0, errors
    assert 'Traceback' not in errors
    (folder,) = folders.find_episodes(graph.out)
    card = load_card(folder)
    assert card.outcome == 'unknown'
    assert 'the recorder was stopped while recording' in card.warnings
    assert len(numbers(folder)) >= 40


def test_killed_recorder_leaves_an_episode_that_the_next_one_recovers(graph: Graph) -> None:
    graph.launch('fsync_period_s:=0.1')
    graph.record(1.0)
    sent = graph.robot.sent
    code, _ = graph.end(signal.SIGKILL)
    assert code == -signal.SIGKILL
    (active,) = folders.find_active(graph.out)
    graph.launch()
    (folder,) = folders.find_episodes(graph.out)
    assert not active.exists()
    card = load_card(folder)
    assert card.recovered and card.outcome == 'unknown'
    seen = numbers(folder)
    assert seen == list(range(seen[0], seen[-1] + 1))
    assert sent - seen[-1] < 30, 'the last 0.3 s may be lost'
    assert graph.record(0.2) != card.episode_id
    assert graph.call(graph.robot.stop, outcome='failure').success


def test_an_episode_without_a_task_gets_the_recorders(graph: Graph) -> None:
    graph.launch('task:=put the can into the bin')
    for task in ('', 'stack the cups'):
        assert graph.call(graph.robot.start, task=task).success
        assert graph.call(graph.robot.stop, outcome='success').success
    tasks = [load_card(folder).task for folder in folders.find_episodes(graph.out)]
    assert sorted(tasks) == ['put the can into the bin', 'stack the cups']


def test_full_disk_ends_the_recording_and_keeps_what_was_written(graph: Graph) -> None:
    graph.launch('min_free_mb:=1000000000.0')
    answer = graph.call(graph.robot.start, task='put it in')
    assert answer.success
    wait_for(lambda: graph.robot.status[-1].episodes_saved == 1, 'the episode to be saved')
    assert 'disk is nearly full' in graph.robot.status[-1].warning
    (folder,) = folders.find_episodes(graph.out)
    card = load_card(folder)
    assert card.outcome == 'unknown'
    assert 'disk is nearly full' in card.warnings[0]


def test_start_is_refused_while_a_required_topic_is_silent(graph: Graph) -> None:
    graph.launch('topics:=[joint_states, imu]', 'required:=[imu]')
    answer = graph.call(graph.robot.start, task='put it in')
    assert not answer.success
    assert 'nothing arrives on imu' in answer.message
    assert 'imu: nothing arrives' in graph.robot.status[-1].warning
    assert not folders.find_active(graph.out)


@pytest.mark.parametrize(
    ('parameter', 'sentence'),
    [
        ('depth:=10', 'depth is 10; it must be at least 500'),
        ('queue_mb:=0.0', 'queue_mb is 0.0; it must be above 0'),
        ('out:=/proc/nowhere', 'parameter out is /proc/nowhere'),
        ('required:=[nose]', "required topics ['nose'] are not recorded"),
    ],
)
def test_wrong_parameter_is_one_line_and_exit_2(
    ros_domain: int, parameter: str, sentence: str
) -> None:
    result = subprocess.run(
        [sys.executable, '-m', 'g1_il.nodes.recorder', '--ros-args', '-p', parameter],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
    )
    assert result.returncode == 2
    assert sentence in result.stderr
    assert 'Traceback' not in result.stderr
