# SPDX-License-Identifier: Apache-2.0
"""From an emulated headset in a browser to the simulated robot's palms, and into an episode."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from g1_il.episodes.card import load_card
from g1_il.msg import GateStatus, XrFrame
from g1_il.robot.kinematics import link_poses
from g1_il.ros.bag import read_bag
from g1_il.ros.messages import frame_from_msg, joint_state_from_msg
from g1_il.ros.qos import SENSOR, STATUS
from g1_il.srv import SelectSource, StartEpisode, StopEpisode

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
SIDES = ('left', 'right')
AXES = np.array([[0.0, 0, -1], [-1, 0, 0], [0, 1, 0]])  # WebXR to REP-103.

# The robot's head in its pelvis frame as the user's: retargeting's default [m].
HEAD_IN_PELVIS = np.array([0.15, 0.0, 0.45])
# WebXR's wrist axes (in REP-103) to those of Unitree's wrist_yaw link, a right factor.
RELABEL = {
    'left': np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
    'right': np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
}
# The point that follows the wrist, and the palm link's origin, in the wrist_yaw frame [m].
FOLLOWER = np.array([0.05, 0.0, 0.0])
PALM = {'left': np.array([0.0415, 0.003, 0.0]), 'right': np.array([0.0415, -0.003, 0.0])}

HEAD = np.array([0.05, 1.52, -0.1])  # WebXR, looking ahead.
# The path: where the follower shall be in the pelvis frame [m], with the hand turned about its
# fingers' axis (0: thumb up; left 90, right -90: palm down) and then about the vertical [deg].
PATH = [
    {'left': ((0.27, 0.17, 0.16), 0, 0), 'right': ((0.27, -0.17, 0.16), 0, 0)},
    {'left': ((0.33, 0.20, 0.16), 45, -10), 'right': ((0.32, -0.24, 0.20), -45, 10)},
    {'left': ((0.30, 0.26, 0.22), 80, -20), 'right': ((0.34, -0.14, 0.17), -80, 15)},
]

MAX_POSITION_ERROR_M = 0.02
MAX_ANGLE_ERROR_RAD = 0.1
PINCHED_BY_M = 0.02

# A busy machine may fall behind; the gate's deadlines are not what is tested here.
PATIENT = {
    'hold_after_s': 1.0,
    'disengage_after_s': 5.0,
    'state_hold_after_s': 0.5,
    'state_fault_after_s': 5.0,
    'hand_stale_after_s': 2.0,
}


def turn(axis: int, angle_deg: float) -> np.ndarray:
    """Rotation about a main axis, shape (3, 3)."""
    cos, sin = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    made = np.eye(3)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    made[[first, second], [first, second]] = cos
    made[first, second], made[second, first] = -sin, sin
    return made


def transform(rotation: np.ndarray, position: np.ndarray) -> np.ndarray:
    made = np.eye(4)
    made[:3, :3], made[:3, 3] = rotation, position
    return made


def palm_target(side: str, waypoint: tuple) -> np.ndarray:
    """Where the palm link shall be in the pelvis frame, shape (4, 4)."""
    position, roll, yaw = waypoint
    rotation = turn(2, yaw) @ turn(0, roll)
    return transform(rotation, np.array(position) + rotation @ (PALM[side] - FOLLOWER))


def wrist_in_webxr(side: str, waypoint: tuple) -> np.ndarray:
    """Where the human wrist has to be for that, in WebXR's local-floor, shape (4, 4)."""
    position, roll, yaw = waypoint
    rotation = turn(2, yaw) @ turn(0, roll) @ RELABEL[side].T
    return transform(
        AXES.T @ rotation @ AXES, HEAD + AXES.T @ (np.array(position) - HEAD_IN_PELVIS)
    )


def quaternion(rotation: np.ndarray) -> np.ndarray:
    """xyzw of a rotation by less than 180 degrees."""
    w = np.sqrt(max(0.0, 1.0 + np.trace(rotation))) / 2.0
    odd = rotation - rotation.T
    return np.array([odd[2, 1] / (4 * w), odd[0, 2] / (4 * w), odd[1, 0] / (4 * w), w])


def error(got: np.ndarray, wanted: np.ndarray) -> tuple[float, float]:
    """Distance [m] and angle [rad] between two poses."""
    cosine = (np.trace(got[:3, :3].T @ wanted[:3, :3]) - 1.0) / 2.0
    return (
        float(np.linalg.norm(got[:3, 3] - wanted[:3, 3])),
        float(np.arccos(np.clip(cosine, -1.0, 1.0))),
    )


class Graph:
    """The nodes as processes, and a node of our own that talks to them from a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: dict[str, subprocess.Popen] = {}
        self.node = rclpy.create_node('browser_test')
        self.gate: GateStatus | None = None
        self.joints: JointState | None = None
        self.frames: list[XrFrame] = []
        self.node.create_subscription(
            GateStatus, 'gate/status', lambda m: setattr(self, 'gate', m), STATUS
        )
        self.node.create_subscription(
            JointState, 'joint_states', lambda m: setattr(self, 'joints', m), SENSOR
        )
        self.node.create_subscription(XrFrame, 'xr/frame', self.frames.append, SENSOR)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()

    def run(self, name: str, **parameters: object) -> None:
        command = [sys.executable, '-m', f'g1_il.nodes.{name}', '--ros-args']
        for parameter, value in parameters.items():
            command += ['-p', f'{parameter}:={value}']
        with open(self.folder / f'{name}.log', 'w') as output:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
            )

    def log(self, name: str) -> str:
        return (self.folder / f'{name}.log').read_text()

    def wait(self, what: str, condition, timeout_s: float = 30.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            for name, process in self.processes.items():
                assert process.poll() is None, f'{name} has ended: {self.log(name)}'
            assert time.monotonic() < deadline, f'waited in vain for {what}; {self.words()}'
            time.sleep(0.02)

    def words(self) -> str:
        logs = '\n'.join(f'--- {name}\n{self.log(name)[-1500:]}' for name in self.processes)
        return f'gate: {self.gate}\n{logs}'

    def call(self, kind, name: str, **request):
        client = self.node.create_client(kind, name)
        self.wait(f'service {name}', client.service_is_ready)
        future = client.call_async(kind.Request(**request))
        self.wait(f'answer of {name}', future.done)
        answer = future.result()
        assert answer.success, f'{name}: {answer.message}'
        return answer

    def palms(self) -> dict[str, np.ndarray]:
        """The palms where the robot's own sensors say, in the pelvis frame."""
        poses = link_poses(joint_state_from_msg(self.joints).position)
        return {side: poses[f'{side}_hand_palm_link'] for side in SIDES}

    def pinch(self, side: str) -> float:
        """Distance between the last links of thumb and index finger [m]."""
        poses = link_poses(joint_state_from_msg(self.joints).position)
        tips = [poses[f'{side}_hand_{name}_link'][:3, 3] for name in ('thumb_2', 'index_1')]
        return float(np.linalg.norm(tips[0] - tips[1]))

    def end(self) -> dict[str, int]:
        """Interrupts all processes, the bridge while it still has a robot; their exit codes."""
        codes = {}
        for group in (['bridge'], [name for name in self.processes if name != 'bridge']):
            ending = {name: self.processes[name] for name in group if name in self.processes}
            for process in ending.values():
                process.send_signal(signal.SIGINT)
            for name, process in ending.items():
                try:
                    codes[name] = process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    codes[name] = process.wait()
        self.processes.clear()
        return codes

    def close(self) -> None:
        self.end()
        self._executor.shutdown()
        self._thread.join(5)
        self.node.destroy_node()


@pytest.fixture
def graph(ros_domain, robot_domain, tmp_path):
    rclpy.init()
    made = Graph(tmp_path)
    try:
        made.run(
            'sim',
            robot_domain=robot_domain,
            interface='lo',
            lowstate_rate_hz=200.0,
            camera_rate_hz=10.0,
        )
        made.run('bridge', robot_domain=robot_domain, interface='lo', **PATIENT)
        made.run('retarget')
        made.run('recorder', out=tmp_path / 'episodes')
        made.run('xr', port=0, host='127.0.0.1', config_folder=tmp_path / 'config')
        yield made
    finally:
        made.close()
        rclpy.shutdown()


class Hands:
    """Moves the emulated hands so that their wrists are where they are wanted."""

    def __init__(self, headset) -> None:
        self._headset = headset
        self._wrist = {side: np.linalg.inv(headset.offsets(side)[0]) for side in SIDES}
        self._at: dict[str, np.ndarray] = {}

    def go(self, waypoint: dict, steps: int = 30) -> None:
        """Goes there on a straight line, 30 steps a second."""
        wanted = {}
        for side in SIDES:
            pose = wrist_in_webxr(side, waypoint[side]) @ self._wrist[side]
            wanted[side] = np.concatenate([pose[:3, 3], quaternion(pose[:3, :3])])
        for step in range(1, steps + 1) if self._at else (steps,):
            poses = {}
            for side in SIDES:
                before = self._at.get(side, wanted[side])
                after = wanted[side].copy()
                if before[3:] @ after[3:] < 0:
                    after[3:] *= -1
                pose = before + (after - before) * step / steps
                pose[3:] /= np.linalg.norm(pose[3:])
                poses[side] = pose.tolist()
            self._headset.move(head=[*HEAD.tolist(), 0, 0, 0, 1], **poses)
            self._headset.page.wait_for_timeout(1000 / 30)
        self._at = wanted


def settle(graph: Graph, headset) -> dict[str, np.ndarray]:
    """Waits until the palms stand still; where they are."""
    before = graph.palms()
    still = 0
    for _ in range(60):
        headset.page.wait_for_timeout(250)
        now = graph.palms()
        moved = max(error(now[side], before[side])[0] for side in SIDES)
        still = still + 1 if moved < 5e-4 else 0
        if still == 4:
            return now
        before = now
    raise AssertionError(f'the palms never stood still; {graph.words()}')


def test_the_palms_follow_the_hands_and_the_episode_holds_it(graph, headset, tmp_path) -> None:
    graph.wait('the address', lambda: re.search(r'https://\S+/', graph.log('xr')))
    headset.open(re.search(r'https://\S+/', graph.log('xr')).group(0))
    headset.start()
    hands = Hands(headset)
    hands.go(PATH[0])
    graph.wait('frames', lambda: len(graph.frames) > 10)
    graph.wait('the gate and the joints', lambda: graph.gate is not None and graph.joints)
    graph.call(Trigger, 'gate/arm')
    graph.wait('the gate to hold', lambda: graph.gate.state == GateStatus.HOLD)
    graph.call(Trigger, 'retarget/engage')
    graph.call(SelectSource, 'gate/select_source', source='teleop')
    graph.wait('the gate to follow', lambda: graph.gate.state == GateStatus.ACTIVE)
    graph.call(StartEpisode, 'episode/start', task='wave', operator='emulator', notes='')
    reached = []
    for waypoint in PATH:
        hands.go(waypoint)
        palms = settle(graph, headset)
        reached.append(time.time_ns())
        for side in SIDES:
            distance, angle = error(palms[side], palm_target(side, waypoint[side]))
            assert distance < MAX_POSITION_ERROR_M, (side, waypoint, graph.words())
            assert angle < MAX_ANGLE_ERROR_RAD, (side, waypoint, graph.words())
    open_m = graph.pinch('right')
    headset.page.evaluate('headset.hands.right.updatePinchValue(1)')
    graph.wait('the right hand to pinch', lambda: graph.pinch('right') < open_m - PINCHED_BY_M)
    headset.page.screenshot(path=tmp_path / 'headset.png')
    stopped = graph.call(StopEpisode, 'episode/stop', outcome='success', notes='')
    graph.call(Trigger, 'retarget/disengage')
    assert headset.errors == []
    codes = graph.end()
    assert codes == dict.fromkeys(codes, 0)
    check_episode(Path(stopped.path), reached, graph.frames)


def check_episode(folder: Path, reached: list[int], live: list[XrFrame]) -> None:
    """The episode tells the same motion: frames as sent, palms where they were."""
    assert load_card(folder).outcome == 'success'
    topics = {name.lstrip('/'): topic for name, topic in read_bag(folder).items()}
    frames, joints = topics['xr/frame'], topics['joint_states']
    assert topics['head_camera/color/image_raw/compressed'].data
    assert topics['executed_command'].data and topics['teleop/command'].data
    for at_ns, waypoint in zip(reached, PATH, strict=True):
        index = np.searchsorted(frames.stamp_ns, at_ns, side='right') - 1
        frame = frame_from_msg(deserialize_message(frames.data[index], XrFrame))
        assert at_ns - frame.stamp_ns < 2_000_000_000
        np.testing.assert_allclose(frame.head_position, AXES @ HEAD, atol=1e-4)
        for side, hand in (('left', frame.left), ('right', frame.right)):
            assert hand.tracked
            wrist = wrist_in_webxr(side, waypoint[side])
            np.testing.assert_allclose(hand.position[0], AXES @ wrist[:3, 3], atol=1e-4)
        index = np.searchsorted(joints.stamp_ns, at_ns, side='right') - 1
        assert at_ns - joints.stamp_ns[index] < 2_000_000_000
        sample = joint_state_from_msg(deserialize_message(joints.data[index], JointState))
        poses = link_poses(sample.position)
        for side in SIDES:
            got = poses[f'{side}_hand_palm_link']
            distance, _ = error(got, palm_target(side, waypoint[side]))
            assert distance < MAX_POSITION_ERROR_M
    # What was recorded is what was sent meanwhile: the same frames, bit for bit.
    recorded = {
        int(stamp): frame_from_msg(deserialize_message(data, XrFrame))
        for stamp, data in zip(frames.stamp_ns, frames.data, strict=True)
    }
    shared = 0
    for message in live:
        frame = frame_from_msg(message)
        if frame.stamp_ns in recorded:
            twin = recorded[frame.stamp_ns]
            np.testing.assert_array_equal(twin.right.position, frame.right.position)
            np.testing.assert_array_equal(twin.left.orientation_xyzw, frame.left.orientation_xyzw)
            shared += 1
    assert shared > 0.5 * len(recorded)
