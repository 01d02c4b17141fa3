# SPDX-License-Identifier: Apache-2.0
"""What learning and running a policy cost: training steps, inference with and without pictures."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from g1_il.camera.encode import encode_jpeg
from g1_il.learn.checkpoint import Checkpoint
from g1_il.learn.export import export_onnx
from g1_il.learn.network import ChunkNetwork, NetworkConfig
from g1_il.learn.training import TrainConfig, make_network, seed_everything, train
from g1_il.learn.windows import Windows
from g1_il.policy.contract import CameraInput, PolicyContract
from g1_il.policy.observation import IMAGE_PREFIX, observation_from_row
from g1_il.policy.onnx_policy import OnnxPolicy
from g1_il.robot.joints import COMMAND_JOINTS
from g1_il.rows.row import Row
from g1_il.rows.streams import scene_names

NAMES = scene_names(('can', 'bin'))
CAMERA = CameraInput(name='head_camera', width=128, height=96)
FRAME_S = 1.0 / 30.0
RUNS = 300


def run() -> list[dict[str, Any]]:
    """Rows for the table of benchmarks."""
    seed_everything(0, 1)
    return [_training(), *_inference('state, scene', ()), *_inference('state, picture', (CAMERA,))]


def _training() -> dict[str, Any]:
    """Rows per second of a state policy's training, one thread."""
    random = np.random.default_rng(0)
    count, chunk = 6000, 30
    windows = Windows(
        episodes=(0,),
        state=random.normal(size=(count, 28)).astype(np.float32),
        environment=random.normal(size=(count, len(NAMES))).astype(np.float32),
        action=random.normal(size=(count, 28)).astype(np.float32),
        begin=np.array([0, count]),
        until=np.full(count, count),
        chunk=chunk,
    )
    config = NetworkConfig(
        inputs=('state', 'environment_state'), environment=len(NAMES), chunk=chunk
    )
    began = time.process_time()
    train(make_network(config, windows), windows, None, TrainConfig(epochs=2))
    rate = 2 * count / (time.process_time() - began)
    bare = _bare_rate(make_network(config, windows), windows, TrainConfig().batch)
    needed = 50 * 240 * TrainConfig().epochs / 150.0
    return {
        'name': 'train: rows per CPU second, state policy; '
        f'50 episodes in 2.5 minutes need {needed:.0f}',
        'value': rate,
        'unit': 'rows/s',
        'baseline': 'the network forward and backward alone',
        'baseline_value': bare,
        'ratio': rate / bare,
    }


def _bare_rate(network: ChunkNetwork, windows: Windows, batch: int) -> float:
    """Rows per second through the network and back, nothing learnt."""
    inputs = {
        'state': torch.from_numpy(windows.state[:batch]),
        'environment_state': torch.from_numpy(windows.environment[:batch]),
    }
    network.train()
    network(inputs).square().mean().backward()
    began = time.process_time()
    for _ in range(40):
        network(inputs).square().mean().backward()
    return 40 * batch / (time.process_time() - began)


def _inference(what: str, cameras: tuple[CameraInput, ...]) -> list[dict[str, Any]]:
    """p50 and p99 of OnnxPolicy.infer, and torch on the same row."""
    inputs = ('state', 'images') if cameras else ('state', 'environment_state')
    network = ChunkNetwork(
        NetworkConfig(inputs=inputs, environment=0 if cameras else len(NAMES), cameras=cameras)
    ).eval()
    contract = PolicyContract(
        joints=COMMAND_JOINTS,
        fps=30,
        chunk=30,
        execute=15,
        inputs=inputs,
        environment_names=() if cameras else NAMES,
        cameras=cameras,
    )
    picture = np.random.default_rng(0).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    row = Row(
        stamp_ns=1,
        values={
            'joint_states': np.zeros(43),
            'scene': np.zeros(len(NAMES)),
            CAMERA.name: encode_jpeg(picture),
        },
        ages_ns={},
        held=(),
    )
    observations = {
        name: np.repeat(values, 2, axis=0)
        for name, values in observation_from_row(row, contract).items()
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'policy.onnx'
        export_onnx(Checkpoint(contract=contract, network=network), observations, path)
        policy = OnnxPolicy(path)
    policy.warm_up()

    def eager() -> None:
        inputs_now = observation_from_row(row, contract)
        tensors = {name: torch.from_numpy(values) for name, values in inputs_now.items()}
        with torch.no_grad():
            network(tensors)

    ours, torchs = _seconds(lambda: policy.infer(row)), _seconds(eager)
    decoding = ' (with JPEG decoding)' if IMAGE_PREFIX + CAMERA.name in observations else ''
    return [
        _row(f'policy: {what}{decoding}, p50', np.median(ours), 'torch', np.median(torchs)),
        _row(f'policy: {what}{decoding}, p99', np.quantile(ours, 0.99), 'one frame', FRAME_S),
    ]


def _seconds(work: Callable[[], object]) -> np.ndarray:
    """Durations of many runs [s]."""
    for _ in range(10):
        work()
    durations = np.empty(RUNS)
    for number in range(RUNS):
        began = time.perf_counter()
        work()
        durations[number] = time.perf_counter() - began
    return durations


def _row(name: str, seconds: float, baseline: str, baseline_s: float) -> dict[str, Any]:
    return {
        'name': name,
        'value': float(seconds * 1e3),
        'unit': 'ms',
        'baseline': baseline,
        'baseline_value': float(baseline_s * 1e3),
        'ratio': float(seconds / baseline_s),
    }
