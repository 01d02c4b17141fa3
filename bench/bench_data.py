# SPDX-License-Identifier: Apache-2.0
"""What recording, reading and converting episodes costs.

The recorder runs as a process of its own and hears what a robot with two cameras says; what it
missed is found by the numbers in the messages, not by its own count.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import rclpy
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, JointState

from g1_il.dataset.convert import ConvertConfig, convert
from g1_il.msg import JointCommand
from g1_il.robot.command import RobotCommand
from g1_il.robot.joints import ALL_JOINTS, COMMAND_JOINTS, LOWER, UPPER
from g1_il.ros import cdr, messages
from g1_il.ros.bag import EpisodeWriter, read_bag
from g1_il.ros.qos import EVENT, SENSOR
from g1_il.rows.assembler import FrameAssembler
from g1_il.rows.streams import standard_config
from g1_il.srv import StartEpisode, StopEpisode
from g1_il.xr.frame import HandFrame, XrFrame

DOMAIN = '97'
SECONDS = 8.0
START = 1_700_000_000_000_000_000
MS = 1_000_000
EPISODES, FRAMES = 3, 300
AV1_OPTIONS = {'g': '2', 'crf': '30'}
"""LeRobot's encoder is AV1 with these."""
TOPICS = {
    'joint_states': 'sensor_msgs/msg/JointState',
    'executed_command': 'g1_il/msg/JointCommand',
    'head_camera/color/image_raw/compressed': 'sensor_msgs/msg/CompressedImage',
}


def run() -> list[dict[str, Any]]:
    """Rows for the table of benchmarks."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [*_recorder(folder / 'recorded'), *_offline(folder), _assembler()]


def _recorder(folder: Path) -> list[dict[str, Any]]:
    """CPU and losses with two cameras, joints at 500 Hz and commands at 250 Hz."""
    os.environ['ROS_DOMAIN_ID'] = DOMAIN
    topics = 'topics:=[joint_states, executed_command, left/color, right/color]'
    process = subprocess.Popen(
        [sys.executable, '-m', 'g1_il.nodes.recorder', '--ros-args']
        + ['-p', f'out:={folder}', '-p', topics]
    )
    rclpy.init()
    node = rclpy.create_node('robot')
    try:
        publishers = {
            name: node.create_publisher(kind, name, qos)
            for name, kind, qos in (
                ('joint_states', JointState, SENSOR),
                ('executed_command', JointCommand, EVENT),
                ('left/color', CompressedImage, SENSOR),
                ('right/color', CompressedImage, SENSOR),
            )
        }
        start, stop = (
            node.create_client(kind, f'episode/{verb}')
            for kind, verb in ((StartEpisode, 'start'), (StopEpisode, 'stop'))
        )
        if not (start.wait_for_service(20.0) and stop.wait_for_service(20.0)):
            raise RuntimeError('the recorder does not come up')
        _publish(publishers, 1.5)  # by now it has subscribed
        listening = _share(process.pid, lambda: _publish(publishers, 4.0))[0]
        _call(node, start, StartEpisode.Request(task='bench'))
        share, (first, last) = _share(process.pid, lambda: _publish(publishers, SECONDS))
        time.sleep(0.5)
        done = _call(node, stop, StopEpisode.Request(outcome='success'))
    finally:
        node.destroy_node()
        rclpy.shutdown()
        process.send_signal(signal.SIGINT)
        process.wait(20.0)
    sent, got = 0, 0
    for topic in read_bag(Path(done.path)).values():
        name = topic.name[1:]
        numbers = {int(stamp) for stamp in topic.stamp_ns}
        expected = set(range(first[name], last[name]))
        sent += len(expected)
        got += len(expected & numbers)
    return [
        _row(
            'recorder: CPU at 500 + 250 + 2 x 30 Hz, 4.6 MB/s, at most 15 %',
            100 * share,
            '% of a core',
            'hearing the same and dropping it',
            100 * listening,
        ),
        _row(f'recorder: messages kept, {sent - got} lost', got, 'messages', 'sent', sent),
    ]


def _share(pid: int, work: Callable[[], Any]) -> tuple[float, Any]:
    """Share of a core that a process takes while something is done, and what came of that."""
    began_s, began_cpu_s = time.monotonic(), _cpu_s(pid)
    outcome = work()
    return (_cpu_s(pid) - began_cpu_s) / (time.monotonic() - began_s), outcome


def _publish(publishers: dict[str, Any], seconds: float) -> tuple[dict[str, int], dict[str, int]]:
    """Numbered messages at their rates; returns each topic's first number and the one after."""
    periods = {'joint_states': 1, 'executed_command': 2, 'left/color': 17, 'right/color': 17}
    joints = JointState(name=list(ALL_JOINTS), position=messages.doubles(np.zeros(43)))
    joints.velocity = joints.effort = joints.position
    command = JointCommand(name=list(COMMAND_JOINTS), position=messages.doubles(np.zeros(28)))
    image = messages.compressed_to_msg(os.urandom(52_000), stamp_ns=0, frame_id='camera')
    made = {'joint_states': joints, 'executed_command': command}
    first = dict(_NUMBERS)
    began = time.monotonic()
    for tick in range(int(seconds * 500)):
        for name, period in periods.items():
            if tick % period == 0:
                msg = made.get(name, image)
                msg.header.stamp = messages.ns_to_stamp(_NUMBERS[name])
                publishers[name].publish(msg)
                _NUMBERS[name] += 1
        time.sleep(max(0.0, began + tick / 500 - time.monotonic()))
    return first, dict(_NUMBERS)


_NUMBERS = dict.fromkeys(('joint_states', 'executed_command', 'left/color', 'right/color'), 1)


def _call(node: Any, client: Any, request: Any) -> Any:
    future = client.call_async(request)
    rclpy.spin_until_future_complete(node, future, timeout_sec=20.0)
    answer = future.result()
    if answer is None or not answer.success:
        raise RuntimeError(f'the recorder says: {answer and answer.message}')
    return answer


def _cpu_s(pid: int) -> float:
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def _offline(folder: Path) -> list[dict[str, Any]]:
    """Conversion and reading of episodes with one camera of 640x480."""
    pictures = _pictures()
    episodes = [_write_episode(folder / 'episodes', k, pictures) for k in range(EPISODES)]
    config = ConvertConfig(jobs=1, overwrite=True)
    convert(folder / 'episodes', folder / 'dataset', config)
    began = time.process_time()
    rows = convert(folder / 'episodes', folder / 'dataset', config).rows
    rate = rows / (time.process_time() - began)
    read_s = _median_s(lambda: read_bag(episodes[0]), 5)
    frame = _xr_frame()
    fast_s = _median_s(lambda: cdr.encode_frame(frame), 500)
    slow_s = _median_s(lambda: serialize_message(messages.frame_to_msg(frame)), 200)
    seconds = FRAMES / 30
    return [
        _row(
            'convert: rows per CPU second, one camera 640x480, at least 300',
            rate,
            'rows/s',
            "its pictures alone, LeRobot's way: PNG files, then AV1",
            _rows_by_png_and_av1(folder, pictures[:90]),
        ),
        _row('bag: read an episode', seconds / read_s, 'x real time', 'playing it', 1.0),
        _row(
            'bag: an XrFrame to bytes',
            fast_s * 1e6,
            'us',
            "rclpy's message and serialize_message",
            slow_s * 1e6,
        ),
    ]


def _rows_by_png_and_av1(folder: Path, pictures: list[bytes]) -> float:
    """Pictures per CPU second, as LeRobot's writer handles them."""
    began = time.process_time()
    paths = []
    for k, picture in enumerate(pictures):
        image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
        paths.append(folder / f'{k}.png')
        cv2.imwrite(str(paths[-1]), image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    with av.open(str(folder / 'av1.mp4'), 'w') as container:
        stream = container.add_stream('libsvtav1', rate=30, options=AV1_OPTIONS)
        stream.height, stream.width = image.shape[:2]
        stream.pix_fmt = 'yuv420p'
        for path in paths:
            frame = av.VideoFrame.from_ndarray(cv2.imread(str(path)), format='bgr24')
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return len(pictures) / (time.process_time() - began)


def _pictures() -> list[bytes]:
    """What a camera at a table sees: smooth surfaces, one thing that moves, a little noise."""
    random = np.random.default_rng(0)
    base = cv2.resize(
        random.integers(60, 200, (6, 8, 3), dtype=np.uint8), (640, 480), interpolation=1
    )
    pictures = []
    for k in range(FRAMES):
        picture = base.copy()
        cv2.circle(picture, (100 + k, 240), 40, (20, 40, 200), -1, cv2.LINE_AA)
        picture = cv2.add(picture, random.integers(0, 3, picture.shape, dtype=np.uint8))
        pictures.append(cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
    return pictures


def _write_episode(root: Path, number: int, pictures: list[bytes]) -> Path:
    writer = EpisodeWriter(
        root,
        task='bench',
        operator='bench',
        start_ns=START,
        topics=TOPICS,
        episode_id=f'e{number}',
        fsync_period_s=0.0,
    )
    end_ns = START + FRAMES * 1000 * MS // 30
    events = []
    for stamp in range(START, end_ns, 10 * MS):
        position = LOWER + (UPPER - LOWER) * (0.5 + 0.3 * np.sin(stamp / 1e9 + np.arange(43)))
        command = _command(position)
        joints = JointState(name=list(ALL_JOINTS), position=messages.doubles(position))
        joints.header.stamp = messages.ns_to_stamp(stamp)
        events.append((stamp, 'joint_states', bytes(serialize_message(joints))))
        data = cdr.encode_executed(command, stamp_ns=stamp, source='teleop')
        events.append((stamp, 'executed_command', data))
    for k, picture in enumerate(pictures):
        stamp = START + k * 1000 * MS // 30
        data = cdr.encode_compressed(picture, stamp_ns=stamp, frame_id='camera')
        events.append((stamp, 'head_camera/color/image_raw/compressed', data))
    for stamp, topic, data in sorted(events, key=lambda event: event[0]):
        writer.write(topic, data, stamp)
    return writer.close('success', end_ns=end_ns)


def _xr_frame() -> XrFrame:
    poses = np.random.default_rng(0).normal(size=(25, 7))
    hand = HandFrame(tracked=True, position=poses[:, :3], orientation_xyzw=poses[:, 3:])
    return XrFrame(
        stamp_ns=START,
        head_tracked=True,
        head_position=poses[0, :3],
        head_orientation_xyzw=poses[0, 3:],
        left=hand,
        right=hand,
    )


def _command(position: np.ndarray) -> RobotCommand:
    zeros = np.zeros(43)
    return RobotCommand(
        position=position,
        velocity=zeros,
        effort=zeros,
        kp=zeros,
        kd=zeros,
        weight=1.0,
        hands_enabled=True,
    )


def _assembler() -> dict[str, Any]:
    """A row with everything that leads to it: 3.3 joint states, 3.3 commands, a scene, a frame."""
    streams = ('joint_states', 'executed_command', 'scene')
    assembler = FrameAssembler(standard_config('camera', streams))
    joints, command, scene, image = np.zeros(43), np.zeros(28), np.zeros(14), bytes(30_000)
    made, began = 0, time.process_time()
    for tick in range(20_000):
        stamp = START + tick * 10 * MS
        assembler.push('joint_states', stamp, joints)
        assembler.push('executed_command', stamp, command)
        if tick % 3 == 0:
            assembler.push('scene', stamp, scene)
            assembler.push('camera', stamp, image)
        made += len(assembler.rows())
    per_row = (time.process_time() - began) / made * 1e6
    return _row(
        'rows: assemble one row of four streams', per_row, 'us', 'a 30 Hz period', 1e6 / 30
    )


def _median_s(call: Callable[[], Any], count: int) -> float:
    times = []
    for _ in range(count):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return float(np.median(times))


def _row(
    name: str, value: float, unit: str, baseline: str, baseline_value: float
) -> dict[str, Any]:
    return {
        'name': name,
        'value': value,
        'unit': unit,
        'baseline': baseline,
        'baseline_value': baseline_value,
        'ratio': value / baseline_value if baseline_value else None,
    }
