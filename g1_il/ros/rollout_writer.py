# SPDX-License-Identifier: Apache-2.0
"""Episodes of the graph in one process: nouns in, the bag that the recorder would have written."""

from __future__ import annotations

import struct
from pathlib import Path

from rclpy.serialization import serialize_message
from std_msgs.msg import Header

from g1_il.camera.capture import Intrinsics
from g1_il.camera.encode import encode_jpeg
from g1_il.msg import GateStatus
from g1_il.robot.command import JointTargets, RobotCommand
from g1_il.robot.state import RobotState
from g1_il.ros import cdr
from g1_il.ros.bag import EpisodeWriter
from g1_il.ros.camera_topics import camera_info, optical_frame
from g1_il.ros.messages import ns_to_stamp
from g1_il.safety.report import GateReport
from g1_il.sim.scene import Scene
from g1_il.xr.frame import XrFrame

HEAD_CAMERA = 'head_camera'
_IMAGE = f'{HEAD_CAMERA}/color/image_raw/compressed'
_INFO = f'{HEAD_CAMERA}/color/camera_info'
TOPICS = {
    'xr/frame': 'g1_il/msg/XrFrame',
    'teleop/command': 'g1_il/msg/JointCommand',
    'joint_states': 'sensor_msgs/msg/JointState',
    'executed_command': 'g1_il/msg/JointCommand',
    'gate/status': 'g1_il/msg/GateStatus',
    'sim/scene': 'g1_il/msg/SceneState',
}
IMAGE_TOPICS = {
    _IMAGE: 'sensor_msgs/msg/CompressedImage',
    _INFO: 'sensor_msgs/msg/CameraInfo',
}


class RolloutWriter:
    """Writes what happens at one virtual instant; stamp and time of receipt are the same."""

    def __init__(
        self,
        root: Path,
        *,
        task: str,
        operator: str,
        start_ns: int,
        episode_id: str,
        intrinsics: Intrinsics | None,
        notes: str = '',
    ) -> None:
        """Opens an episode.

        Args:
            root: Folder of all episodes.
            task: Instruction in words.
            operator: Who shows it.
            start_ns: Virtual time of its start [ns].
            episode_id: Its id.
            intrinsics: Lens of the head camera; None: no pictures in this episode.
            notes: Remarks on the card.
        """
        self._writer = EpisodeWriter(
            root,
            task=task,
            operator=operator,
            start_ns=start_ns,
            notes=notes,
            topics=TOPICS | (IMAGE_TOPICS if intrinsics else {}),
            episode_id=episode_id,
            fsync_period_s=0.0,
        )
        self._frame_id = optical_frame(HEAD_CAMERA)
        self._info = b''
        if intrinsics is not None:
            message = camera_info(intrinsics, Header(frame_id=self._frame_id))
            self._info = serialize_message(message)

    def frame(self, frame: XrFrame, now_ns: int) -> None:
        """xr/frame."""
        self._writer.write('xr/frame', cdr.encode_frame(frame), now_ns)

    def targets(self, targets: JointTargets, now_ns: int) -> None:
        """teleop/command."""
        self._writer.write('teleop/command', cdr.encode_targets(targets), now_ns)

    def state(self, state: RobotState, now_ns: int) -> None:
        """joint_states."""
        self._writer.write('joint_states', cdr.encode_joint_state(state), now_ns)

    def executed(self, command: RobotCommand, source: str, now_ns: int) -> None:
        """executed_command."""
        data = cdr.encode_executed(command, stamp_ns=now_ns, source=source)
        self._writer.write('executed_command', data, now_ns)

    def gate(self, report: GateReport, now_ns: int) -> None:
        """gate/status."""
        message = GateStatus(
            header=Header(stamp=ns_to_stamp(now_ns)),
            state=int(report.state),
            source=report.source,
            reason=report.reason,
            weight=float(report.weight),
            intervention_name=list(report.interventions),
            intervention_count=list(report.interventions.values()),
        )
        self._writer.write('gate/status', serialize_message(message), now_ns)

    def scene(self, scene: Scene, now_ns: int) -> None:
        """sim/scene."""
        self._writer.write('sim/scene', cdr.encode_scene(scene), now_ns)

    def image(self, rgb: object, now_ns: int) -> None:
        """Picture (RGB, (H, W, 3) uint8) and camera_info of the head camera."""
        jpeg = encode_jpeg(rgb)
        data = cdr.encode_compressed(jpeg, stamp_ns=now_ns, frame_id=self._frame_id)
        self._writer.write(_IMAGE, data, now_ns)
        self._writer.write(_INFO, _restamped(self._info, now_ns), now_ns)

    def close(self, outcome: str, end_ns: int, notes: str = '') -> Path:
        """Completes the episode; returns its folder."""
        return self._writer.close(outcome, end_ns=end_ns, notes=notes)

    def discard(self) -> None:
        """Moves the episode to the trash."""
        self._writer.discard()


def _restamped(data: bytes, stamp_ns: int) -> bytes:
    """A serialized message with another stamp: its header comes first, after 4 bytes of CDR."""
    sec, nanosec = divmod(stamp_ns, 1_000_000_000)
    return data[:4] + struct.pack('<iI', sec, nanosec) + data[12:]
