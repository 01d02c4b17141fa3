# SPDX-License-Identifier: Apache-2.0
"""A trained network in a folder: config.json, model.safetensors, the run's card and its curve."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
from safetensors.torch import load_file, save_file

from g1_il.errors import ConfigError
from g1_il.learn.network import ChunkNetwork, NetworkConfig
from g1_il.learn.observations import OBSERVATIONS
from g1_il.output import FolderKind
from g1_il.policy.contract import PolicyContract

CONFIG = 'config.json'
WEIGHTS = 'model.safetensors'
CARD = 'card.json'
CURVE_PLOT = 'loss.png'
POLICY_TYPE = 'bc'
CHECKPOINT = FolderKind(
    name='a checkpoint',
    files=(CONFIG, WEIGHTS, CARD, CURVE_PLOT, OBSERVATIONS),
    required=(CONFIG, CARD),
    leftovers=('*.npy',),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A network and what it was made for."""

    contract: PolicyContract
    network: ChunkNetwork


def write_checkpoint(folder: Path, checkpoint: Checkpoint, card: dict[str, Any]) -> None:
    """Writes a network and its card into a folder."""
    contract = json.loads(checkpoint.contract.to_json())
    network = checkpoint.network
    config = {'type': POLICY_TYPE, 'contract': contract, 'network': network.config.to_dict()}
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + '\n', encoding='utf-8')
    (folder / CARD).write_text(
        json.dumps(_without_nan(card), indent=2, allow_nan=False) + '\n', encoding='utf-8'
    )
    weights = {name: values.contiguous() for name, values in network.state_dict().items()}
    save_file(weights, str(folder / WEIGHTS))


def read_checkpoint(folder: Path | str) -> Checkpoint:
    """Reads what write_checkpoint wrote.

    Raises:
        ConfigError: If it is not a checkpoint, or a part of it is missing or damaged.
    """
    folder = Path(folder)
    path = folder / CONFIG
    if not path.is_file():
        raise ConfigError(
            f'{folder} is no checkpoint: there is no {path}; make one with '
            'g1-il train --dataset DIR --out CHECKPOINT'
        )
    try:
        config = json.loads(path.read_text(encoding='utf-8'))
        if config['type'] != POLICY_TYPE:
            raise ConfigError(f'{path} is of type {config["type"]!r}; allowed: {POLICY_TYPE}')
        contract = PolicyContract.from_json(json.dumps(config['contract']), path)
        network = ChunkNetwork(NetworkConfig.from_dict(config['network']))
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f'{path} is no readable checkpoint config: {error!r}') from error
    try:
        network.load_state_dict(load_file(str(folder / WEIGHTS)))
    except (OSError, RuntimeError, safetensors.SafetensorError) as error:
        reason = ' '.join(str(error).split())
        raise ConfigError(f'{folder / WEIGHTS} cannot be loaded: {reason}; train again') from error
    return Checkpoint(contract=contract, network=network.eval())


def _without_nan(value: Any) -> Any:
    """NaN as null, which JSON has."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _without_nan(dataclasses.asdict(value))
    if isinstance(value, dict):
        return {key: _without_nan(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
