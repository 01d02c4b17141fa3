# SPDX-License-Identifier: Apache-2.0
"""Recorded episodes whose every value says which frame it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from g1_il.robot.command import RobotCommand
from g1_il.robot.joints import LOWER, UPPER
from g1_il.robot.state import RobotState
from g1_il.ros import cdr
from g1_il.ros.bag import EpisodeWriter
from g1_il.sim.scene import Scene

MS = 1_000_000
START = 1_700_000_000_000_000_000
BITS, BLOCK = 12, 16
TOPICS = {
    'joint_states': 'sensor_msgs/msg/JointState',
    'executed_command': 'g1_il/msg/JointCommand',
    'sim/scene': 'g1_il/msg/SceneState',
    'head_camera/color/image_raw/compressed': 'sensor_msgs/msg/CompressedImage',
}


def draw(number: int, width: int = 256, height: int = 96) -> npt.NDArray[np.uint8]:
    """A picture that says its number in black and white blocks, over a colour gradient."""
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    picture[..., 0] = np.linspace(0, 255, width, dtype=np.uint8)
    picture[..., 1] = np.linspace(255, 30, height, dtype=np.uint8)[:, None]
    picture[..., 2] = (number * 3) % 256
    for bit in range(BITS):
        left = (bit + 2) * BLOCK
        picture[BLOCK : 3 * BLOCK, left : left + BLOCK] = 255 if number >> bit & 1 else 0
    return picture


def encode(number: int) -> bytes:
    """The picture of a number as JPEG."""
    return cv2.imencode('.jpg', draw(number)[..., ::-1])[1].tobytes()


def number_of(picture: npt.NDArray[np.uint8]) -> int:
    """The number that a picture says."""
    centres = [(bit + 2) * BLOCK + BLOCK // 2 for bit in range(BITS)]
    values = [picture[2 * BLOCK - 4 : 2 * BLOCK + 4, c - 4 : c + 4].mean() for c in centres]
    return sum((value > 128) << bit for bit, value in enumerate(values))


def joints_at(stamp_ns: int, phase: float = 0.0) -> npt.NDArray[np.float64]:
    """Positions that say their time: a smooth motion within the limits, shape (43,)."""
    seconds = (stamp_ns - START) / 1e9
    share = 0.5 + 0.3 * np.sin(0.7 * seconds + phase + np.arange(43) / 9)
    return LOWER + share * (UPPER - LOWER)


def write_episode(
    root: Path,
    *,
    frames: int = 60,
    first: int = 0,
    outcome: str = 'success',
    task: str = 'put the can in',
    episode_id: str | None = None,
    fps: float = 30.0,
    lost_frames: tuple[int, ...] = (),
    idle_s: float = 0.0,
    scene: bool = True,
    jpeg: Callable[[int], bytes] | None = None,
) -> Path:
    """Records an episode: frame k shows the number first + k, all other values say their time."""
    writer = EpisodeWriter(
        root,
        task=task,
        operator='test',
        start_ns=START,
        topics=TOPICS,
        episode_id=episode_id,
    )
    events: list[tuple[int, int, str, bytes]] = []
    end_ns = START + int(frames / fps * 1e9)
    for k in range(-5, int((end_ns - START) / (10 * MS)) + 5):
        stamp = START + k * 10 * MS
        moved = min(max(stamp, START + round(idle_s * 1e9)), end_ns - round(idle_s * 1e9))
        events.append((stamp + 2 * MS, 0, 'joint_states', _joint_state(stamp)))
        events.append((stamp + 3 * MS, 1, 'executed_command', _executed(stamp, moved)))
    for k in range(frames):
        stamp = START + round(k / fps * 1e9)
        if scene:
            events.append((stamp + 4 * MS, 2, 'sim/scene', _scene(stamp, first + k)))
        if k not in lost_frames:
            data = (
                jpeg(k) if jpeg else cv2.imencode('.jpg', draw(first + k)[..., ::-1])[1].tobytes()
            )
            image = cdr.encode_compressed(data, stamp_ns=stamp, frame_id='camera')
            topic = 'head_camera/color/image_raw/compressed'
            events.append((stamp + 30 * MS, 3, topic, image))
    for receive_ns, _, topic, data in sorted(events):
        writer.write(topic, data, receive_ns)
    return writer.close(outcome, end_ns=end_ns)


def _joint_state(stamp_ns: int) -> bytes:
    position = joints_at(stamp_ns)
    return cdr.encode_joint_state(
        RobotState(
            stamp_ns=stamp_ns,
            left_hand_stamp_ns=stamp_ns,
            right_hand_stamp_ns=stamp_ns,
            position=position,
            velocity=np.zeros(43),
            effort=np.zeros(43),
            orientation_wxyz=np.array([1.0, 0, 0, 0]),
            angular_velocity=np.zeros(3),
            linear_acceleration=np.zeros(3),
            mode_machine=0,
            mode_pr=0,
            tick=0,
            casing_temperature=np.zeros(29),
            winding_temperature=np.zeros(29),
            wireless_remote=bytes(40),
        )
    )


def _executed(stamp_ns: int, moved_ns: int) -> bytes:
    command = RobotCommand(
        position=joints_at(moved_ns, phase=0.1),
        velocity=np.zeros(43),
        effort=np.zeros(43),
        kp=np.ones(43),
        kd=np.ones(43),
        weight=1.0,
        hands_enabled=True,
    )
    return cdr.encode_executed(command, stamp_ns=stamp_ns, source='teleop')


def _scene(stamp_ns: int, number: int) -> bytes:
    poses = np.zeros((2, 7))
    poses[0, 0], poses[1, 0], poses[:, 6] = number, -number, 1.0
    return cdr.encode_scene(
        Scene(
            stamp_ns=stamp_ns,
            task='pick_place',
            seed=1,
            names=('can', 'bin'),
            poses=poses,
            success=True,
            stage='done',
        )
    )


@pytest.fixture(scope='session')
def factory() -> SimpleNamespace:
    """Makes episodes, and reads what their pictures say."""
    return SimpleNamespace(
        write=write_episode,
        draw=draw,
        number_of=number_of,
        joints_at=joints_at,
        START=START,
        TOPICS=TOPICS,
    )
