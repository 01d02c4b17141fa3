# SPDX-License-Identifier: Apache-2.0
"""Nodes with wrong things: what, value, allowed and remedy in one line, and exit status 2."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from g1_il.episodes.recorder_config import RecorderConfig
from g1_il.errors import ConfigError
from g1_il.link.bridge_config import BridgeConfig
from g1_il.nodes.camera import CameraConfig
from g1_il.nodes.description import DescriptionConfig
from g1_il.nodes.keyboard import KeyboardConfig
from g1_il.nodes.operator import OperatorConfig
from g1_il.nodes.policy import PolicyNodeConfig
from g1_il.nodes.retarget import RetargetNodeConfig
from g1_il.nodes.sim import SimConfig
from g1_il.nodes.trials import TrialsConfig
from g1_il.nodes.xr import XrConfig
from g1_il.safety.config import GateConfig

ROOT = Path(__file__).parents[2]
NAN, INF = float('nan'), float('inf')


@pytest.mark.parametrize(
    ('config', 'values', 'words'),
    [
        (SimConfig, {'robot_domain': 999}, '0 to 232'),
        (SimConfig, {'camera_width': 0}, '16 to 1920'),
        (SimConfig, {'camera_rate_hz': 1e6}, '1 to 60'),
        (BridgeConfig, {'robot_domain': -1}, '0 to 232'),
        (BridgeConfig, {'state_rate_hz': 0.0}, '1 to 500'),
        (BridgeConfig, {'executed_rate_hz': NAN}, '1 to 250'),
        (GateConfig, {'control_rate_hz': 1e9}, '50 to 1000'),
        (GateConfig, {'arming_s': -1.0}, 'positive finite'),
        (GateConfig, {'blend_s': INF}, 'positive finite'),
        (GateConfig, {'release_move_s': 9.0}, '3.8 s'),
        (CameraConfig, {'type': 'webcam'}, 'realsense, uvc, file'),
        (CameraConfig, {'type': 'file', 'path': ''}, 'path is empty'),
        (CameraConfig, {'name': ''}, 'name is empty'),
        (CameraConfig, {'width': 0}, 'at least 1'),
        (CameraConfig, {'jpeg_quality': 101}, '1 and 100'),
        (CameraConfig, {'retry_s': 0.0}, 'positive'),
        (KeyboardConfig, {'source': 'me'}, 'teleop, policy, replay'),
        (OperatorConfig, {'episodes': 0}, 'at least 1'),
        (OperatorConfig, {'seed': 900_000}, '0 to 899999'),
        (OperatorConfig, {'task': ' '}, 'say in words'),
        (RetargetNodeConfig, {'rate_hz': 0.0}, '10 to 240'),
        (RetargetNodeConfig, {'head_offset_m': (1.0, 2.0)}, 'three numbers'),
        (RecorderConfig, {'out': ''}, 'name the folder'),
        (RecorderConfig, {'status_rate_hz': 1e6}, '0.1 to 50'),
        (RecorderConfig, {'depth': 1}, 'at least 500'),
        (RecorderConfig, {'required': ('smell',)}, 'add them to topics'),
        (RecorderConfig, {'topics': (), 'required': ()}, 'at least one'),
        (PolicyNodeConfig, {}, 'policy is empty'),
        (PolicyNodeConfig, {'policy': 'p', 'robot': 'toy'}, 'sim, real'),
        (PolicyNodeConfig, {'policy': 'p', 'threads': 10**6}, '1 to 64'),
        (PolicyNodeConfig, {'policy': 'p', 'rate_hz': 0.0}, '10 to 250'),
        (PolicyNodeConfig, {'policy': 'p', 'fps': 0}, 'at least 1'),
        (PolicyNodeConfig, {'policy': 'p', 'camera': ''}, 'name the camera'),
        (TrialsConfig, {'rollouts': 0}, 'at least 1'),
        (TrialsConfig, {'seed': -1}, '0 or more'),
        (TrialsConfig, {'min_success': 9}, '-1 to 5'),
        (TrialsConfig, {'report': '/nowhere/r.json'}, 'folder does not exist'),
        (TrialsConfig, {'report': '/'}, 'name a file'),
        (TrialsConfig, {'report': __file__}, 'overwrite:=true'),
        (DescriptionConfig, {'rate_hz': 0.0}, '0.1 to 500'),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_a_value_out_of_range_names_itself_and_the_range(config, values, words) -> None:
    with pytest.raises(ConfigError) as caught:
        config(**values)
    said = str(caught.value)
    assert words in said and '\n' not in said
    assert not values or any(name in said for name in values)


def test_xr_ports_and_certificates_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='0 and 65535'):
        XrConfig(port=99999).server()
    with pytest.raises(ConfigError, match='belong together'):
        XrConfig(certificate='mine.pem').server()


@pytest.fixture
def place(ros_domain: int, tmp_path: Path) -> Iterator[dict[str, str]]:
    """What the cases below may name."""
    (tmp_path / 'file').write_text('precious')
    (tmp_path / 'rubbish.yaml').write_text('a: [')
    with socket.socket() as busy:
        busy.bind(('127.0.0.1', 0))
        busy.listen()
        yield {
            'HERE': str(tmp_path),
            'BUSY': str(busy.getsockname()[1]),
            'DOMAIN': str(ros_domain),
        }
    assert (tmp_path / 'file').read_text() == 'precious'


def start(node: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A node, started as its executable does."""
    code = f'import sys; from g1_il.start import {node}; sys.exit({node}())'
    return subprocess.run(
        [sys.executable, '-c', code, '--ros-args', *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=40,
    )


@pytest.mark.parametrize(
    'words',
    [
        'recorder -p out | Write -p name:=value',
        'recorder -p outt:=HERE/o | this node has none of that name; it has: depth, ',
        'recorder -p depth:=many | depth is \'many\' (str); allowed: a whole number',
        'recorder -p out:=HERE/file | cannot be a folder to write to: File exists',
        'recorder -p topics:=[a-b] -p required:=[] -p out:=HERE/o | Invalid topic name',
        'recorder --params-file HERE/none.yaml | No such file',
        'recorder --log-level shout | is no logging severity',
        'recorder --wibble | --wibble',
        'bridge -p robot_domian:=3 | none of that name',
        'bridge -p robot_domain:=DOMAIN | would share DDS domain DOMAIN; set',
        'bridge -p interface:=eth77 | set interface:= to one of them',
        'camera -p type:=file -p path:=HERE/none.mp4 | is not there; set path',
        'camera -p retry_s:=.inf | allowed: a finite number',
        'xr -p host:=127.0.0.1 -p port:=BUSY -p config_folder:=HERE/c | address already in use',
        'xr -p port:=0 -p config_folder:=HERE/file | config_folder to a folder that can be',
        'retarget -p head_offset_m:=[a,b,c] | allowed: a list of numbers',
        'keyboard | standard input is no terminal',
        'policy -p policy:=HERE/none.onnx | make one with g1-il export',
        'policy -p policy:=HERE/file | is not a readable ONNX model',
    ],
)  # fmt: skip
def test_a_node_refuses_in_one_line(place: dict[str, str], words: str) -> None:
    for name, value in place.items():
        words = words.replace(name, value)
    command, _, told = words.partition(' | ')
    node, *arguments = command.split()
    done = start(node, *arguments)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ''
    assert done.stderr.startswith(f'{node}: ') and told in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.parametrize('node', ['recorder', 'bridge', 'keyboard'])
def test_a_wrong_ros_domain_id_is_named(place: dict[str, str], node: str) -> None:
    done = start(node, ROS_DOMAIN_ID='many')
    assert done.returncode == 2
    assert done.stderr.splitlines() == [f"{node}: ROS_DOMAIN_ID is 'many'; allowed are 0 to 232"]


@pytest.mark.parametrize(
    ('node', 'package'),
    [('policy', 'onnxruntime'), ('xr', 'aiohttp'), ('retarget', 'mink'), ('recorder', 'rclpy')],
)
def test_a_missing_package_is_named(tmp_path: Path, node: str, package: str) -> None:
    code = (
        'import sys\n'
        f'sys.modules[{package!r}] = None\n'
        f'from g1_il.start import {node}\nsys.exit({node}())'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, timeout=40
    )
    assert done.returncode == 2
    assert f'the Python package {package} is not installed' in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (('-p', 'type:=uvc', '-p', 'device:=/dev/video99'), '/dev/video99 is not there'),
        (('-p', 'type:=realsense'), 'no RealSense camera is connected'),
    ],
)
def test_an_absent_camera_is_reported_and_the_node_stays(
    ros_domain: int, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    log = tmp_path / 'log.txt'
    with open(log, 'w') as output:
        child = subprocess.Popen(
            [sys.executable, '-m', 'g1_il.nodes.camera', '--ros-args', *arguments]
            + ['-p', 'retry_s:=0.2'],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        until = time.monotonic() + 30.0
        while said not in log.read_text():
            assert time.monotonic() < until and child.poll() is None, log.read_text()
            time.sleep(0.05)
        time.sleep(0.6)  # tried again three times
        assert child.poll() is None
        assert log.read_text().count(said) == 1, 'said once, however often it is met'
        child.terminate()
        assert child.wait(20) == 0
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
