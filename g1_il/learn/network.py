# SPDX-License-Identifier: Apache-2.0
"""The behaviour-cloning network: state, environment state and pictures in, a chunk out.

Normalisation is part of it, so that no user of the model can forget it: inputs and outputs are
in radians, metres and bytes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from g1_il.errors import ConfigError
from g1_il.learn.vision import PictureEncoder
from g1_il.policy.contract import CameraInput
from g1_il.policy.observation import IMAGE_PREFIX

MIN_STD = 1e-2  # joints that hardly move must not blow their noise up


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """Shape of the network.

    Attributes:
        inputs: Of state, environment_state, images.
        joints: Number of joints, in and out.
        environment: Number of environment values.
        cameras: Pictures it looks at.
        chunk: Actions per answer.
        width: Width of the hidden layers.
        depth: Number of hidden layers.
        picture_features: Features per picture.
    """

    inputs: tuple[str, ...]
    joints: int = 28
    environment: int = 0
    cameras: tuple[CameraInput, ...] = ()
    chunk: int = 30
    width: int = 512
    depth: int = 3
    picture_features: int = 64

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> NetworkConfig:
        """What to_dict gave, after JSON."""
        cameras = tuple(CameraInput(**camera) for camera in values['cameras'])
        return cls(**{**values, 'inputs': tuple(values['inputs']), 'cameras': cameras})


@dataclass(slots=True)
class Moments:
    """Mean and standard deviation of one quantity, for normalisation."""

    mean: Tensor
    std: Tensor = field(repr=False)

    @classmethod
    def of(cls, values: npt.NDArray[np.float32]) -> Moments:
        """Over all but the last axis."""
        flat = values.reshape(-1, values.shape[-1]).astype(np.float64)
        std = np.maximum(flat.std(axis=0), MIN_STD)
        return cls(
            torch.from_numpy(flat.mean(axis=0).astype(np.float32)),
            torch.from_numpy(std.astype(np.float32)),
        )


class ChunkNetwork(nn.Module):
    """Predicts the next T joint targets."""

    state_mean: Tensor
    state_std: Tensor
    environment_mean: Tensor
    environment_std: Tensor
    action_mean: Tensor
    action_std: Tensor
    action_low: Tensor
    action_high: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        """Makes the layers; normalisation is the identity until `normalise_by`."""
        super().__init__()
        self.config = config
        sizes = {'state': config.joints, 'environment': config.environment}
        for name, size in (*sizes.items(), ('action', config.joints)):
            self.register_buffer(f'{name}_mean', torch.zeros(size))
            self.register_buffer(f'{name}_std', torch.ones(size))
        self.register_buffer('action_low', torch.full((config.joints,), -torch.inf))
        self.register_buffer('action_high', torch.full((config.joints,), torch.inf))
        features = 0
        if 'state' in config.inputs:
            features += config.joints
        if 'environment_state' in config.inputs:
            if config.environment == 0:
                raise ConfigError('environment_state is an input, but the dataset has none')
            features += config.environment
        self.encoders = nn.ModuleDict(
            {camera.name: PictureEncoder(config.picture_features) for camera in config.cameras}
        )
        features += config.picture_features * len(config.cameras)
        layers: list[nn.Module] = []
        for _ in range(config.depth):
            layers += [nn.Linear(features, config.width), nn.LayerNorm(config.width), nn.SiLU()]
            features = config.width
        layers.append(nn.Linear(features, config.chunk * config.joints))
        self.trunk = nn.Sequential(*layers)

    def normalise_by(self, **moments: Moments) -> None:
        """Sets means and deviations of state, environment or action."""
        for name, moment in moments.items():
            getattr(self, f'{name}_mean').copy_(moment.mean)
            getattr(self, f'{name}_std').copy_(moment.std)

    def stay_within(self, action: npt.NDArray[np.float32]) -> None:
        """Never asks for what no demonstration asked for; many joints are shown at their stops."""
        self.action_low.copy_(torch.from_numpy(action.min(axis=0)))
        self.action_high.copy_(torch.from_numpy(action.max(axis=0)))

    def normalised_action(self, action: Tensor) -> Tensor:
        """Targets [rad] as the loss sees them."""
        return (action - self.action_mean) / self.action_std

    def normalised(self, inputs: dict[str, Tensor]) -> Tensor:
        """The chunk as the loss sees it, shape (B, T, joints).

        Args:
            inputs: state (B, joints), environment_state (B, E), image.<camera> (B, H, W, 3)
                uint8: those of the config.
        """
        parts = []
        if 'state' in self.config.inputs:
            parts.append((inputs['state'] - self.state_mean) / self.state_std)
        if 'environment_state' in self.config.inputs:
            scene = inputs['environment_state']
            parts.append((scene - self.environment_mean) / self.environment_std)
        for name, encoder in self.encoders.items():
            parts.append(encoder(inputs[IMAGE_PREFIX + name]))
        flat: Tensor = self.trunk(torch.cat(parts, dim=1))
        return flat.reshape(-1, self.config.chunk, self.config.joints)

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """Joint targets [rad], shape (B, T, joints)."""
        action = self.normalised(inputs) * self.action_std + self.action_mean
        return torch.minimum(torch.maximum(action, self.action_low), self.action_high)
