# SPDX-License-Identifier: Apache-2.0
"""A policy in an ONNX file, run by onnxruntime on the CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort

from g1_il.errors import ConfigError, G1Error
from g1_il.policy.contract import METADATA_KEY, PolicyContract
from g1_il.policy.observation import IMAGE_PREFIX, observation_from_row
from g1_il.policy.policy import ActionChunk
from g1_il.robot.joints import COMMAND_JOINTS
from g1_il.rows.row import Row

ACTION = 'action'
WARM_UP_RUNS = 3


class OnnxPolicy:
    """Runs one exported policy; it is a Policy.

    One thread and no spinning by default: a robot's computer is shared, and a second thread
    gains nothing for small networks.
    """

    def __init__(self, path: Path | str, *, threads: int = 1) -> None:
        """Loads the file and checks that it is a policy for this robot.

        Args:
            path: The ONNX file.
            threads: Threads of one inference.

        Raises:
            ConfigError: If the file is missing, no model, or made for something else.
        """
        self.path = Path(path)
        if not self.path.is_file():
            raise ConfigError(
                f'no policy file {self.path}; make one with g1-il export CHECKPOINT OUT.onnx'
            )
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 3
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        try:
            self._session = ort.InferenceSession(
                str(self.path), options, providers=['CPUExecutionProvider']
            )
        except Exception as error:  # onnxruntime's errors have no common base but Exception
            reason = str(error).strip().splitlines()[0]
            raise ConfigError(f'{self.path} is not a readable ONNX model: {reason}') from error
        text = self._session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
        if text is None:
            raise ConfigError(
                f'{self.path} has no {METADATA_KEY} in its metadata, so nobody knows its joints; '
                'export it with g1-il export CHECKPOINT OUT.onnx'
            )
        self.contract = PolicyContract.from_json(text, self.path)
        self.contract.check_robot(self.path, COMMAND_JOINTS)
        self._check_graph()

    @property
    def streams(self) -> tuple[str, ...]:
        """Streams of a Row that the policy reads."""
        return self.contract.streams

    @property
    def fps(self) -> int:
        """Rows per second it was trained at."""
        return self.contract.fps

    @property
    def execute(self) -> int:
        """Rows after which to infer again."""
        return self.contract.execute

    def warm_up(self) -> None:
        """Runs it on zeros, because the first runs of a session are slow."""
        inputs = {
            entry.name: np.zeros(
                (1, *entry.shape[1:]),
                dtype=np.uint8 if entry.name.startswith(IMAGE_PREFIX) else np.float32,
            )
            for entry in self._session.get_inputs()
        }
        for _ in range(WARM_UP_RUNS):
            self._session.run([ACTION], inputs)

    def infer(self, row: Row) -> ActionChunk:
        """Actions for the row's instant and what follows.

        Raises:
            ObservationError: If the row lacks something.
            G1Error: If the network answers with values that are not finite.
        """
        inputs = observation_from_row(row, self.contract)
        position = self._session.run([ACTION], inputs)[0][0].astype(np.float64)
        if not np.isfinite(position).all():
            raise G1Error(f'{self.path} answered with values that are not finite')
        return ActionChunk(
            stamp_ns=row.stamp_ns,
            period_ns=round(1e9 / self.contract.fps),
            position=position,
        )

    def _check_graph(self) -> None:
        """Compares the graph's inputs and output with the contract."""
        contract = self.contract
        wanted: dict[str, tuple[int, ...]] = {}
        if 'state' in contract.inputs:
            wanted['state'] = (len(contract.joints),)
        if 'environment_state' in contract.inputs:
            wanted['environment_state'] = (len(contract.environment_names),)
        for camera in contract.cameras:
            wanted[IMAGE_PREFIX + camera.name] = (camera.height, camera.width, 3)
        found = {entry.name: tuple(entry.shape[1:]) for entry in self._session.get_inputs()}
        if found != wanted:
            raise ConfigError(
                f'{self.path} reads {found}, but its contract says {wanted}; export it again'
            )
        outputs = {entry.name: tuple(entry.shape[1:]) for entry in self._session.get_outputs()}
        shape = (contract.chunk, len(contract.joints))
        if outputs.get(ACTION) != shape:
            raise ConfigError(
                f'{self.path} answers {outputs}, but its contract says {ACTION} {shape}; '
                'export it again'
            )
