# SPDX-License-Identifier: Apache-2.0
"""What a trained policy was made for; it travels inside the model file and is compared on load."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from g1_il.errors import ConfigError

FORMAT = 1
ROBOT = 'unitree_g1'
METADATA_KEY = 'g1_il.contract'
INPUTS = ('state', 'environment_state', 'images')
STATE_STREAM = 'joint_states'
SCENE_STREAM = 'scene'


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraInput:
    """One picture that the policy looks at.

    Attributes:
        name: The camera, as its topics and its stream are called.
        width: Width the picture is scaled to [px].
        height: Height the picture is scaled to [px].
    """

    name: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyContract:
    """Everything that has to agree between training and running.

    Attributes:
        robot: Robot the joints belong to.
        joints: Joint names of state and action, in order.
        units: Unit of state and action.
        fps: Rows per second.
        chunk: Actions predicted per inference; action k is for k / fps after the observation.
        execute: Rows after which to infer again.
        inputs: What it reads, of INPUTS.
        environment_names: Names of the environment state's values, e.g. can.x; empty when unread.
        cameras: Pictures it reads; empty when unread.
        task: The instruction it was shown.
        dataset: Name of the dataset it was trained on.
        dataset_sha256: Hash of that dataset's content.
        git_revision: Revision of the code that trained it; empty when unknown.
        seed: Seed of the training.
    """

    robot: str = ROBOT
    joints: tuple[str, ...]
    units: str = 'rad'
    fps: int
    chunk: int
    execute: int
    inputs: tuple[str, ...]
    environment_names: tuple[str, ...] = ()
    cameras: tuple[CameraInput, ...] = ()
    task: str = ''
    dataset: str = ''
    dataset_sha256: str = ''
    git_revision: str = ''
    seed: int = 0

    def __post_init__(self) -> None:
        unknown = [name for name in self.inputs if name not in INPUTS]
        if unknown or not self.inputs:
            raise ConfigError(
                f'policy inputs are {list(self.inputs)}; allowed: some of {list(INPUTS)}'
            )
        if self.fps < 1:
            raise ConfigError(f'policy fps is {self.fps}; it must be at least 1')
        if not 1 <= self.execute <= self.chunk:
            raise ConfigError(
                f'policy executes {self.execute} of {self.chunk} actions; allowed: 1 to the chunk'
            )

    @property
    def streams(self) -> tuple[str, ...]:
        """Streams of a Row that the policy reads."""
        streams = [STATE_STREAM] if 'state' in self.inputs else []
        if 'environment_state' in self.inputs:
            streams.append(SCENE_STREAM)
        return (*streams, *(camera.name for camera in self.cameras))

    @property
    def objects(self) -> tuple[str, ...]:
        """Objects of the scene it reads, in order: can, bin for can.x ... bin.qw."""
        names = (name.partition('.')[0] for name in self.environment_names)
        return tuple(dict.fromkeys(names))

    def to_json(self) -> str:
        """One line of JSON, for a model file's metadata."""
        return json.dumps({'format': FORMAT, **dataclasses.asdict(self)})

    @classmethod
    def from_json(cls, text: str, where: Path | str) -> PolicyContract:
        """Reads what to_json wrote.

        Args:
            text: The JSON.
            where: File it was found in, for the error.

        Raises:
            ConfigError: If it is not a contract, or one of another version.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            version = values.pop('format')
            if version != FORMAT:
                raise ConfigError(
                    f'{where} has policy format {version}; this version reads {FORMAT}. '
                    'Export the checkpoint again'
                )
            for name in ('joints', 'inputs', 'environment_names'):
                values[name] = tuple(values[name])
            values['cameras'] = tuple(CameraInput(**camera) for camera in values['cameras'])
            return cls(**values)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ConfigError(
                f'{where} holds no readable policy contract ({error}); '
                'export it with g1-il export CHECKPOINT OUT.onnx'
            ) from error

    def check_robot(self, where: Path | str, joints: tuple[str, ...]) -> None:
        """Refuses a policy of another robot, or with other joints than the command's.

        Raises:
            ConfigError: With the first difference.
        """
        if self.robot != ROBOT:
            raise ConfigError(f'{where} is a policy for robot {self.robot!r}; allowed: {ROBOT!r}')
        if self.units != 'rad':
            raise ConfigError(f'{where} speaks in {self.units!r}; allowed: rad')
        if self.joints != joints:
            pairs = zip(self.joints, joints, strict=False)
            first = next((pair for pair in pairs if pair[0] != pair[1]), None)
            found = (
                f'{len(self.joints)} joints; this robot commands {len(joints)}'
                if first is None
                else f'joint {first[0]} where this robot has {first[1]}'
            )
            raise ConfigError(
                f'{where} has {found}. Train it on a dataset of this robot, in its joint order'
            )

    def check_live(self, where: Path | str, *, fps: int, streams: tuple[str, ...]) -> None:
        """Refuses a policy that the live graph cannot feed.

        Args:
            where: The policy's file, for the error.
            fps: Rows per second of the graph.
            streams: Streams that the graph offers.

        Raises:
            ConfigError: With what is missing.
        """
        if fps != self.fps:
            raise ConfigError(
                f'{where} was trained at {self.fps} rows/s; the graph gives {fps}. '
                f'Set the camera to {self.fps} frames/s or convert and train at {fps}'
            )
        missing = [name for name in self.streams if name not in streams]
        if missing:
            raise ConfigError(
                f'{where} needs {", ".join(missing)}, which is not there; '
                f'available: {", ".join(streams) or "nothing"}'
            )
