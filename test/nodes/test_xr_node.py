# SPDX-License-Identifier: Apache-2.0
"""The xr node as a process: the page's words are on xr/frame, the graph's words on the page."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import aiohttp
import numpy as np
import pytest
import rclpy
from sensor_msgs.msg import CompressedImage

from g1_il.msg import EpisodeStatus, GateStatus, XrFrame
from g1_il.ros.messages import compressed_to_msg, frame_from_msg
from g1_il.ros.qos import SENSOR, STATUS
from g1_il.xr.bases import position_to_rep103
from g1_il.xr.tracking import Tracking, encode_tracking

ROOT = Path(__file__).parents[2]


class XrProcess:
    """The node, its words, and its address."""

    def __init__(self, tmp_path: Path, *parameters: str) -> None:
        command = [sys.executable, '-m', 'g1_il.nodes.xr', '--ros-args']
        command += ['-p', f'config_folder:={tmp_path}/config', '-p', 'port:=0']
        for parameter in parameters:
            command += ['-p', parameter]
        self.folder = tmp_path / 'config'
        self.log = tmp_path / 'xr.log'
        with open(self.log, 'w') as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
            )

    def said(self, pattern: str) -> re.Match[str]:
        deadline = time.monotonic() + 20.0
        while not (found := re.search(pattern, self.log.read_text())):
            assert time.monotonic() < deadline, f'never said {pattern!r}: {self.log.read_text()}'
            time.sleep(0.05)
        return found

    def end(self, how: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(how)
        return self.process.wait(10)


@pytest.fixture
def xr(ros_domain, tmp_path):
    made = XrProcess(tmp_path)
    yield made
    if made.process.poll() is None:
        made.process.kill()
    made.process.wait()


@pytest.fixture
def node(ros_domain):
    rclpy.init()
    node = rclpy.create_node('page_test')
    yield node
    node.destroy_node()
    rclpy.shutdown()


def message(sequence: int) -> bytes:
    poses = np.zeros((51, 7))
    poses[:, 6] = 1.0
    poses[0, :3] = 0.1, 1.5 + 0.01 * sequence, -0.2
    poses[1:26, 0] = -0.2 + 0.001 * np.arange(25)
    return encode_tracking(
        Tracking(
            sequence=sequence,
            headset_ms=time.monotonic_ns() / 1e6,
            head_tracked=True,
            left_tracked=True,
            right_tracked=False,
            poses=poses,
        )
    )


async def page(url: str, folder: Path, stop: threading.Event, seen: dict) -> None:
    """A headset: starts a session, answers, sends 50 frames per second."""
    context = ssl.create_default_context(cafile=folder / 'certificate.pem')
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url + 'ws', ssl=context, max_msg_size=0) as socket,
    ):
        await socket.send_str(json.dumps({'type': 'session', 'mode': 'immersive-vr'}))

        async def send() -> None:
            for sequence in range(1000):
                await socket.send_bytes(message(sequence % 30))
                await asyncio.sleep(0.02)

        sending = asyncio.create_task(send())
        while not stop.is_set():
            received = await socket.receive(timeout=5)
            if received.type == aiohttp.WSMsgType.BINARY:
                seen['image'] = received.data[8:]
                number = int.from_bytes(received.data[4:8], 'little')
                await socket.send_str(json.dumps({'type': 'image_shown', 'number': number}))
                continue
            content = json.loads(received.data)
            if content['type'] == 'status':
                seen['status'] = content
            else:
                answer = {'type': 'pong', 'id': content['id'], 't_ms': time.monotonic_ns() / 1e6}
                await socket.send_str(json.dumps(answer))
        sending.cancel()


def test_frames_pictures_and_status_pass(xr, node) -> None:
    url = xr.said(r'https://127\.0\.0\.1:\d+/\S+/').group(0)
    frames: list[XrFrame] = []
    node.create_subscription(XrFrame, 'xr/frame', frames.append, SENSOR)
    camera = node.create_publisher(
        CompressedImage, 'head_camera/color/image_raw/compressed', SENSOR
    )
    gate = node.create_publisher(GateStatus, 'gate/status', STATUS)
    episode = node.create_publisher(EpisodeStatus, 'episode/status', STATUS)
    gate.publish(GateStatus(state=GateStatus.HOLD, source='teleop', reason='no targets'))
    episode.publish(EpisodeStatus(state=EpisodeStatus.RECORDING, task='pick', episodes_saved=3))
    seen: dict = {}
    stop = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(page(url, xr.folder, stop, seen)))
    thread.start()
    try:
        deadline = time.monotonic() + 20.0
        while time.monotonic() < deadline:
            camera.publish(compressed_to_msg(b'a picture', stamp_ns=time.time_ns(), frame_id='c'))
            rclpy.spin_once(node, timeout_sec=0.05)
            status = seen.get('status', {})
            if len(frames) > 20 and 'image' in seen and {'gate', 'episode'} <= status.keys():
                break
    finally:
        stop.set()
        thread.join(10)
    assert seen['image'] == b'a picture'
    assert seen['status']['gate'] == {'state': 'HOLD', 'source': 'teleop', 'reason': 'no targets'}
    assert seen['status']['episode']['state'] == 'RECORDING'
    assert seen['status']['episode']['saved'] == 3
    assert seen['status']['role'] == 'control'
    for received in frames:
        frame = frame_from_msg(received)
        assert received.header.frame_id == 'xr_local_floor'
        assert 0.0 <= received.stamp_uncertainty < 1.0
        assert abs(time.time_ns() - frame.stamp_ns) < 60e9
        assert (frame.head_tracked, frame.left.tracked, frame.right.tracked) == (True, True, False)
        hand = np.zeros((25, 3))
        hand[:, 0] = -0.2 + 0.001 * np.arange(25)
        np.testing.assert_allclose(frame.left.position, position_to_rep103(hand), atol=1e-6)
    heights = {round(float(frame_from_msg(received).head_position[2]), 3) for received in frames}
    assert len(heights) > 5 and heights <= {round(1.5 + 0.01 * s, 3) for s in range(30)}
    xr.said('127.0.0.1 controls in immersive-vr|no headset is connected')
    assert xr.end() == 0


def test_it_waits_for_a_headset_and_ends_cleanly(xr) -> None:
    xr.said('waiting for a headset')
    xr.said('no headset is connected; open the printed address')
    assert xr.end(signal.SIGTERM) == 0
    assert 'Traceback' not in xr.log.read_text()


@pytest.mark.parametrize(
    ('parameter', 'says'),
    [('port:=99999', 'xr: port is 99999'), ('certificate:=/a.pem', 'belong together')],
)
def test_wrong_parameters_are_one_line(ros_domain, tmp_path, parameter, says) -> None:
    made = XrProcess(tmp_path, parameter)
    assert made.process.wait(20) == 2
    made.said(says)
    assert 'Traceback' not in made.log.read_text()
