# SPDX-License-Identifier: Apache-2.0
"""From a checkpoint to an ONNX file that needs nothing else, checked against torch."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch import Tensor, nn

from g1_il.errors import G1Error
from g1_il.learn.checkpoint import Checkpoint
from g1_il.learn.network import ChunkNetwork
from g1_il.learn.observations import Observations
from g1_il.policy.contract import METADATA_KEY
from g1_il.policy.observation import IMAGE_PREFIX
from g1_il.policy.onnx_policy import ACTION

NORMALISED_TOLERANCE = 1e-4
RADIAN_TOLERANCE = 1e-3
OPSET = 20


class ParityError(G1Error):
    """The exported file does not compute what the network computes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """Largest differences between torch and onnxruntime.

    Attributes:
        observations: How many were compared.
        normalised: Of normalised actions.
        radians: Of actions [rad].
    """

    observations: int
    normalised: float
    radians: float


class _Positional(nn.Module):
    """The network with one argument per input, as graphs have it."""

    def __init__(self, network: ChunkNetwork, names: tuple[str, ...]) -> None:
        super().__init__()
        self.network = network
        self.names = names

    def forward(self, *values: Tensor) -> Tensor:
        """Joint targets [rad]."""
        chunk: Tensor = self.network(dict(zip(self.names, values, strict=True)))
        return chunk


def export_onnx(checkpoint: Checkpoint, observations: Observations, out: Path) -> Parity:
    """Writes the file, unless it would answer something else than the network.

    Args:
        checkpoint: The network and its contract.
        observations: Real ones for the comparison, at least two: state (N, 28),
            environment_state (N, E), image.<camera> (N, H, W, 3) uint8, as the contract names.
        out: The file; replaced when it is there.

    Returns:
        How well both agree.

    Raises:
        ParityError: If they do not; nothing is written then.
    """
    names = _input_names(checkpoint)
    # Two examples: with one, the exporter takes the batch for a constant 1 and says nothing.
    example = tuple(torch.from_numpy(np.ascontiguousarray(observations[n][:2])) for n in names)
    batch = torch.export.Dim('batch')
    wrapped = _Positional(checkpoint.network, names).eval()
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            wrapped,
            example,
            dynamo=True,
            opset_version=OPSET,
            input_names=list(names),
            output_names=[ACTION],
            dynamic_shapes=(tuple({0: batch} for _ in names),),
            verbose=False,
        )
    if program is None:
        raise G1Error('the exporter gave no program')
    model = program.model_proto
    _annotate(model, checkpoint)
    partial = out.with_name(f'.{out.name}.partial')
    try:
        partial.write_bytes(model.SerializeToString())
        parity = compare(partial, checkpoint, observations)
        if parity.normalised > NORMALISED_TOLERANCE or parity.radians > RADIAN_TOLERANCE:
            raise ParityError(
                f'{out}: the exported graph differs from the network by {parity.normalised:.2e} '
                f'(normalised; allowed {NORMALISED_TOLERANCE}) and {parity.radians:.2e} rad '
                f'(allowed {RADIAN_TOLERANCE}); it was not written'
            )
        os.replace(partial, out)
    finally:
        partial.unlink(missing_ok=True)
    return parity


def compare(path: Path, checkpoint: Checkpoint, observations: Observations) -> Parity:
    """Runs both on the same observations."""
    names = _input_names(checkpoint)
    session = ort.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    exported = session.run([ACTION], {name: observations[name] for name in names})[0]
    network = checkpoint.network
    with torch.no_grad():
        tensors = {
            name: torch.from_numpy(np.ascontiguousarray(observations[name])) for name in names
        }
        wanted = network(tensors)
        difference = (torch.from_numpy(exported) - wanted).abs()
        normalised = difference / network.action_std
    return Parity(
        observations=len(exported),
        normalised=float(normalised.max()),
        radians=float(difference.max()),
    )


def _input_names(checkpoint: Checkpoint) -> tuple[str, ...]:
    """The graph's inputs, in order."""
    contract = checkpoint.contract
    vectors = [name for name in ('state', 'environment_state') if name in contract.inputs]
    return (*vectors, *(IMAGE_PREFIX + camera.name for camera in contract.cameras))


def _annotate(model: onnx.ModelProto, checkpoint: Checkpoint) -> None:
    """Puts the contract, and what a human wants to see first, into the file."""
    contract = checkpoint.contract
    del model.metadata_props[:]
    texts = {
        METADATA_KEY: contract.to_json(),
        'robot': contract.robot,
        'joints': ','.join(contract.joints),
        'units': contract.units,
        'streams': ','.join(contract.streams),
        'cameras': ', '.join(f'{c.name} {c.width}x{c.height}' for c in contract.cameras),
        'fps': str(contract.fps),
        'chunk': str(contract.chunk),
        'dataset': f'{contract.dataset} sha256:{contract.dataset_sha256}',
        'git_revision': contract.git_revision,
    }
    for key, value in texts.items():
        model.metadata_props.add(key=key, value=value)
    model.producer_name = 'g1_il'
    model.doc_string = f'{contract.task} ({contract.robot}, {contract.fps} rows/s)'


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the exporter's chatter off the screen; its errors still come as exceptions."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter('ignore')
            yield
    finally:
        logging.disable(level)
