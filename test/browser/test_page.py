# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser with an emulated headset, against the real server."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from g1_il.camera.encode import encode_jpeg
from g1_il.xr.config import ServerConfig
from g1_il.xr.server import XrServer

pytestmark = pytest.mark.browser

AXES = np.array([[0, 0, -1], [-1, 0, 0], [0, 1, 0]])  # WebXR to REP-103, written out again.
HEAD = [0.1, 1.55, -0.05, 0.0, 0.17364818, 0.0, 0.98480775]
LEFT = [-0.2, 1.1, -0.35, 0.1, 0.2, -0.1, 0.96953597]
RIGHT = [0.25, 1.2, -0.3, -0.05, 0.0, 0.3, 0.95262794]


class Frames:
    """What the server delivers."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.all = []

    def __call__(self, frame, uncertainty_s: float) -> None:
        with self.lock:
            self.all.append((frame, uncertainty_s, time.time_ns()))

    def next(self, headset, accept=lambda frame: True):
        """The first frame from now on that is accepted; the browser goes on meanwhile."""
        with self.lock:
            first = len(self.all)
        for _ in range(200):
            headset.page.wait_for_timeout(25)
            with self.lock:
                for frame in self.all[first:]:
                    if accept(frame[0]):
                        return frame
        raise AssertionError('no such frame came within five seconds')


@pytest.fixture
def frames() -> Frames:
    return Frames()


@pytest.fixture
def server(tmp_path, frames):
    config = ServerConfig(host='127.0.0.1', port=0, folder=tmp_path / 'config')
    server = XrServer(config, frames)
    server.start()
    yield server
    server.stop()


def matrix(pose: list[float]) -> np.ndarray:
    """4x4 of a position and a quaternion xyzw."""
    x, y, z, w = np.array(pose[3:]) / np.linalg.norm(pose[3:])
    made = np.eye(4)
    made[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    made[:3, 3] = pose[:3]
    return made


def assert_pose(position, xyzw, expected: np.ndarray, atol: float = 2e-5) -> None:
    """A pose in REP-103 axes equals a 4x4 in WebXR's, carried over by T P T^-1."""
    got = matrix([*position, *xyzw])
    np.testing.assert_allclose(got[:3, 3], AXES @ expected[:3, 3], atol=atol)
    np.testing.assert_allclose(got[:3, :3], AXES @ expected[:3, :3] @ AXES.T, atol=atol)


@pytest.mark.parametrize('mode', ['ar', 'vr'])
def test_emulated_poses_arrive_as_frames(server, frames, headset, mode: str) -> None:
    headset.open(server.urls()[0])
    headset.start(mode)
    headset.move(head=HEAD, left=LEFT, right=RIGHT)
    headset.page.wait_for_timeout(200)
    frame, uncertainty_s, at_ns = frames.next(headset)
    assert frame.head_tracked and frame.left.tracked and frame.right.tracked
    assert_pose(frame.head_position, frame.head_orientation_xyzw, matrix(HEAD))
    for hand, side, pose in ((frame.left, 'left', LEFT), (frame.right, 'right', RIGHT)):
        offsets = headset.offsets(side)
        assert np.ptp(offsets[:, :3, 3], axis=0).max() > 0.1  # Not all joints in one point.
        for joint in range(25):
            expected = matrix(pose) @ offsets[joint]
            assert_pose(hand.position[joint], hand.orientation_xyzw[joint], expected)
    assert uncertainty_s < 0.5
    assert 0 <= at_ns - frame.stamp_ns < 2e9 + 1e9 * uncertainty_s
    assert headset.errors == []


def test_a_hand_out_of_sight_is_said(server, frames, headset) -> None:
    headset.open(server.urls()[0])
    headset.start()
    headset.move(head=HEAD, left=LEFT, right=RIGHT)
    headset.page.wait_for_timeout(200)
    before, _, _ = frames.next(headset, lambda f: f.left.tracked and f.right.tracked)
    headset.page.evaluate('headset.hands.left.connected = false')
    after, _, _ = frames.next(headset, lambda f: not f.left.tracked)
    assert after.right.tracked
    np.testing.assert_allclose(after.left.position, before.left.position, atol=1e-5)
    headset.until("document.getElementById('left').textContent === 'not seen'", timeout_s=5)
    headset.page.evaluate('headset.hands.left.connected = true')
    frames.next(headset, lambda f: f.left.tracked)


def test_emulated_head_positions_are_not_trusted(server, frames, headset) -> None:
    headset.open(server.urls()[0])
    headset.start()
    frames.next(headset, lambda f: f.head_tracked)
    headset.page.evaluate("""() => {
      const prototype = XRViewerPose.prototype;
      Object.defineProperty(prototype, 'emulatedPosition', { get: () => true });
    }""")
    frames.next(headset, lambda f: not f.head_tracked)


def test_ending_the_session_frees_control(server, frames, headset) -> None:
    headset.open(server.urls()[0])
    headset.start()
    frames.next(headset)
    headset.page.evaluate('headset.activeSession.end()')
    headset.until("document.getElementById('role').textContent.startsWith('nobody')")
    assert server.report().control == ''


def test_the_camera_is_seen_on_the_desk_and_in_the_headset(server, headset, tmp_path) -> None:
    picture = np.zeros((480, 640, 3), dtype=np.uint8)
    picture[:240, :320] = (220, 30, 30)
    picture[:240, 320:] = (30, 220, 30)
    picture[240:, :320] = (30, 30, 220)
    server.set_status('gate', {'state': 'HOLD', 'source': 'teleop', 'reason': ''})
    server.set_status('camera', 'head_camera')
    headset.open(server.urls()[0])
    server.show(encode_jpeg(picture), time.time_ns())
    headset.until("document.getElementById('camera').textContent.includes('old')")
    corners = headset.page.evaluate("""() => {
      const pen = document.getElementById('preview').getContext('2d');
      return [[100, 100], [500, 100], [100, 400], [500, 400]].map(
        ([x, y]) => [...pen.getImageData(x, y, 1, 1).data].slice(0, 3));
    }""")
    np.testing.assert_allclose(
        corners, [[220, 30, 30], [30, 220, 30], [30, 30, 220], [0, 0, 0]], atol=12
    )
    assert headset.text('gate') == 'HOLD · teleop'
    headset.page.screenshot(path=tmp_path / 'desk.png')
    headset.start()
    headset.page.wait_for_timeout(300)
    headset.page.screenshot(path=tmp_path / 'headset.png')
    seen = _rendered(headset)
    for colour in ([220, 30, 30], [30, 220, 30], [30, 30, 220]):
        assert np.any(np.abs(seen - np.array(colour)).max(axis=-1) < 15), colour
    red = np.argwhere(np.abs(seen - [220, 30, 30]).max(axis=-1) < 15).mean(axis=0)
    green = np.argwhere(np.abs(seen - [30, 220, 30]).max(axis=-1) < 15).mean(axis=0)
    blue = np.argwhere(np.abs(seen - [30, 30, 220]).max(axis=-1) < 15).mean(axis=0)
    assert red[1] < green[1]  # Left is left,
    assert red[0] < blue[0]  # and up is up.
    assert headset.errors == []


def _rendered(headset) -> np.ndarray:
    """What the emulated headset shows: RGB, shape (H, W, 3), int."""
    got = headset.page.evaluate("""() => new Promise((done) => {
      headset.activeSession.requestAnimationFrame(() => {
        const gl = headset.activeSession.renderState.baseLayer.context;
        const canvas = document.createElement('canvas');
        canvas.width = gl.drawingBufferWidth / 4;
        canvas.height = gl.drawingBufferHeight / 4;
        const pen = canvas.getContext('2d');
        pen.drawImage(gl.canvas, 0, 0, canvas.width, canvas.height);
        const data = pen.getImageData(0, 0, canvas.width, canvas.height).data;
        done({ width: canvas.width, height: canvas.height, data: [...data] });
      });
    })""")
    pixels = np.array(got['data'], dtype=int).reshape(got['height'], got['width'], 4)
    return pixels[..., :3]


def test_a_browser_without_webxr_watches_and_says_why(server, plain_page) -> None:
    plain_page.open(server.urls()[0])
    plain_page.until("!document.getElementById('problem').hidden")
    said = plain_page.text('problem')
    assert 'no WebXR' in said or 'No headset' in said
    assert plain_page.page.is_disabled('#start-vr')
    server.show(encode_jpeg(np.full((48, 64, 3), 99, dtype=np.uint8)), time.time_ns())
    plain_page.until("document.getElementById('preview').width === 64")
    assert [problem for problem in server.report().problems if problem] == [said]


def test_missing_hands_are_explained(server, headset) -> None:
    headset.context.add_init_script(script="headset.primaryInputMode = 'controller';")
    headset.open(server.urls()[0])
    headset.start()
    headset.until("!document.getElementById('problem').hidden", timeout_s=15)
    assert 'allow hand tracking' in headset.text('problem')


def test_a_wrong_token_opens_nothing(server, headset) -> None:
    answer = headset.page.goto(f'https://127.0.0.1:{server.port}/notthetokenatall/')
    assert answer.status == 403
    assert 'address that the xr node printed' in headset.page.inner_text('body')


def test_the_page_comes_back_after_the_server(tmp_path, frames, headset) -> None:
    config = ServerConfig(host='127.0.0.1', port=0, folder=tmp_path)
    first = XrServer(config, frames)
    first.start()
    headset.open(first.urls()[0])
    headset.start()
    frames.next(headset)
    port = first.port
    first.stop()
    headset.until("document.getElementById('connection').textContent.startsWith('lost')")
    second = XrServer(ServerConfig(host='127.0.0.1', port=port, folder=tmp_path), frames)
    second.start()
    try:
        frames.next(headset)  # The session went on, and so does its control.
    finally:
        second.stop()
