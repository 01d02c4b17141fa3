# SPDX-License-Identifier: Apache-2.0
"""`g1-il collect` and `g1-il evaluate`, as a user calls them."""

import json
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import yaml

from g1_il.camera.encode import decode_jpeg
from g1_il.cli import main
from g1_il.policy.contract import PolicyContract
from g1_il.policy.policy import ActionChunk
from g1_il.retarget.retargeter import Retargeter
from g1_il.robot.joints import COMMAND_JOINTS
from g1_il.rollout.deploy import Deployment
from g1_il.rollout.rig import Rig
from g1_il.rollout.teleop import teleoperate
from g1_il.ros import cdr
from g1_il.ros.bag import read_bag
from g1_il.rows.row import Row


@pytest.fixture(scope='module')
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two episodes with pictures, by two processes, as a user collects them."""
    folder = tmp_path_factory.mktemp('collected')
    command = [sys.executable, '-m', 'g1_il.cli', 'collect', '--out', folder / 'episodes']
    command += ['--episodes', '2', '--seed', '60', '--jobs', '2', '--size', '160x120']
    command += ['--report', folder / 'report.json']
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    assert '2 of 2 attempts succeeded' in done.stdout
    return folder


def episodes(folder: Path) -> list[Path]:
    return sorted(card.parent for card in folder.glob('episodes/*/*/episode.yaml'))


def test_collect_reports_what_it_did(collected: Path) -> None:
    report = json.loads((collected / 'report.json').read_text())
    assert (report['attempts'], report['successes'], report['episodes']) == (2, 2, 2)
    assert report['failed_at'] == {}
    assert report['real_time_factor'] > 0.0
    assert report['virtual_s'] > 12.0


def test_collected_episodes_hold_what_the_recorder_would_have_written(collected: Path) -> None:
    first, second = episodes(collected)
    assert (first.name, second.name) == ('seed00000060', 'seed00000061')
    for folder in (first, second):
        card = yaml.safe_load((folder / 'episode.yaml').read_text())
        assert card['outcome'] == 'success'
        assert card['task'] == 'put the can into the bin'
        bag = read_bag(folder)
        assert {name: topic.type for name, topic in bag.items()} == {
            '/xr/frame': 'g1_il/msg/XrFrame',
            '/teleop/command': 'g1_il/msg/JointCommand',
            '/joint_states': 'sensor_msgs/msg/JointState',
            '/executed_command': 'g1_il/msg/JointCommand',
            '/gate/status': 'g1_il/msg/GateStatus',
            '/sim/scene': 'g1_il/msg/SceneState',
            '/head_camera/color/image_raw/compressed': 'sensor_msgs/msg/CompressedImage',
            '/head_camera/color/camera_info': 'sensor_msgs/msg/CameraInfo',
        }
        images = bag['/head_camera/color/image_raw/compressed']
        info = bag['/head_camera/color/camera_info']
        assert np.array_equal(images.stamp_ns, info.stamp_ns)
        assert np.array_equal(images.stamp_ns, bag['/sim/scene'].stamp_ns)
        assert decode_jpeg(cdr.decode_compressed(images.data[0])[1]).shape == (120, 160, 3)
        sources = {cdr.decode_command(data).source for data in bag['/executed_command'].data[10:]}
        assert sources == {'teleop'}


def test_recorded_frames_give_the_recorded_commands_again(collected: Path) -> None:
    bag = read_bag(episodes(collected)[0])
    rig = Rig(task='pick_place')
    rig.reset(60, 'teleop')
    retargeter = Retargeter()
    retargeter.engage(rig.positions())
    rig.close()
    for data, wanted in zip(bag['/xr/frame'].data, bag['/teleop/command'].data, strict=True):
        answer = retargeter.step(cdr.decode_frame(data))
        assert answer.position == pytest.approx(cdr.decode_command(wanted).position, abs=1e-6)


def test_collect_overwrites_nothing_unasked(collected: Path, capsys) -> None:
    before = sorted(collected.rglob('*'))
    assert main(['collect', '--episodes', '1', '--out', str(collected / 'episodes')]) == 2
    told = capsys.readouterr().err
    assert 'not empty' in told and '--overwrite' in told
    assert sorted(collected.rglob('*')) == before


def test_collect_never_empties_a_folder_of_something_else(tmp_path: Path, capsys) -> None:
    (tmp_path / 'thesis').mkdir()
    (tmp_path / 'thesis' / 'draft.txt').write_text('four years')
    command = ['collect', '--episodes', '1', '--out', str(tmp_path), '--overwrite']
    assert main(command) == 2
    assert 'thesis' in capsys.readouterr().err
    assert (tmp_path / 'thesis' / 'draft.txt').read_text() == 'four years'


@pytest.mark.parametrize(
    ('arguments', 'told'),
    [
        (['--episodes', '0'], 'episodes is 0'),
        (['--size', 'big'], "--size is 'big'"),
        (['--seed', '899999'], 'evaluation'),
        (['--jobs', '0'], 'jobs is 0'),
        (['--push', '3'], 'push is 3.0 rad'),
    ],
)
def test_collect_refuses_wrong_wishes(
    tmp_path: Path, capsys, arguments: list[str], told: str
) -> None:
    assert main(['collect', '--out', str(tmp_path / 'out'), *arguments]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / 'out').exists()


def test_evaluate_refuses_what_is_no_policy(tmp_path: Path, capsys) -> None:
    assert main(['evaluate', str(tmp_path / 'none.onnx')]) == 2
    assert 'none.onnx' in capsys.readouterr().err
    wrong = tmp_path / 'wrong.onnx'
    wrong.write_text('not a model')
    assert main(['evaluate', str(wrong), '--rollouts', '1', '--jobs', '1']) == 2
    assert 'wrong.onnx' in capsys.readouterr().err
    report = tmp_path / 'report.json'
    report.write_text('{}')
    assert main(['evaluate', str(wrong), '--report', str(report)]) == 2
    assert '--report' in capsys.readouterr().err
    assert report.read_text() == '{}'


class Replay:
    """A policy that knows one episode by heart: actions by the number of the row."""

    def __init__(self, actions: np.ndarray) -> None:
        self.path = Path('replay')
        self.contract = PolicyContract(
            joints=COMMAND_JOINTS,
            fps=30,
            chunk=20,
            execute=10,
            inputs=('state', 'environment_state'),
            environment_names=tuple(
                f'{name}.{part}'
                for name in ('can', 'bin')
                for part in ('x', 'y', 'z', 'qx', 'qy', 'qz', 'qw')
            ),
        )
        self.streams = self.contract.streams
        self.fps, self.execute = 30, 10
        self._actions = actions
        self.rows: list[Row] = []
        self._first_ns: int | None = None

    def warm_up(self) -> None:
        self._first_ns = None

    def infer(self, row: Row) -> ActionChunk:
        self.rows.append(row)
        self._first_ns = row.stamp_ns if self._first_ns is None else self._first_ns
        at = round((row.stamp_ns - self._first_ns) * 30 / 1e9)
        index = np.minimum(at + np.arange(20), len(self._actions) - 1)
        return ActionChunk(
            stamp_ns=row.stamp_ns, period_ns=33_333_333, position=self._actions[index]
        )


class Actions:
    """Keeps the executed commands."""

    def __init__(self) -> None:
        self.positions: list[np.ndarray] = []
        self.stamps: list[int] = []

    def executed(self, command, source: str, now_ns: int) -> None:
        self.stamps.append(now_ns)
        self.positions.append(command.position[15:])

    def _ignore(self, *_: object) -> None: ...

    frame = targets = state = gate = scene = image = _ignore


@pytest.fixture(scope='module')
def by_heart() -> tuple[Rig, np.ndarray]:
    """The executed commands of the operator on an evaluation seed, 30 per second."""
    rig, kept = Rig(task='pick_place'), Actions()
    assert teleoperate(rig, Retargeter(), seed=900_001, recorder=lambda _: kept).success
    rows = kept.stamps[0] + np.arange(0, kept.stamps[-1] - kept.stamps[0], 1e9 / 30)
    index = np.searchsorted(kept.stamps, rows, side='right') - 1
    return rig, np.array(kept.positions)[index]


def test_a_policy_that_does_as_the_operator_did_succeeds(by_heart, tmp_path: Path) -> None:
    rig, actions = by_heart
    policy = Replay(actions)
    deployment = Deployment(policy, rig, limit_s=12.0)
    result = deployment.run(900_001)
    assert result.success
    assert result.stage == 'done'
    assert result.duration_s < 10.0
    assert result.refused == 0
    assert len(result.inference_s) == len(policy.rows)
    gaps = np.diff([row.stamp_ns for row in policy.rows]) / 1e9
    assert gaps == pytest.approx(np.full(len(gaps), 10 / 30), abs=1e-6)
    for row in policy.rows:
        assert row.values['joint_states'].shape == (43,)
        assert row.values['scene'].shape == (14,)
        assert max(row.ages_ns.values()) <= 10_000_000


def test_the_same_actions_fail_where_the_can_is_not(by_heart) -> None:
    rig, actions = by_heart
    result = Deployment(Replay(actions), rig, limit_s=9.0).run(900_002)
    assert not result.success
    assert result.duration_s == pytest.approx(9.0, abs=0.05)


def test_a_rollout_can_be_filmed(by_heart, tmp_path: Path) -> None:
    from g1_il.rollout.video import VideoFile

    rig, actions = by_heart
    file = VideoFile(tmp_path / 'film' / 'rollout.mp4', width=640, height=480, fps=30)
    Deployment(Replay(actions), rig, limit_s=1.0).run(900_001, file)
    file.close()
    with av.open(str(tmp_path / 'film' / 'rollout.mp4')) as container:
        frames = [frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)]
    assert len(frames) == 30
    assert frames[0].shape == (480, 640, 3)
    assert frames[0].std() > 20.0, 'there is something to see'
    assert np.abs(frames[-1].astype(int) - frames[0]).max() > 50, 'and it moves'
