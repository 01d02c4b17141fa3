# SPDX-License-Identifier: Apache-2.0
"""Node: starts an executable of a package with ROS arguments."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from typing import Any

from launch.actions import ExecuteProcess
from launch.substitution import SomeSubstitutionsType, perform_substitutions

from ..parameter_descriptions import (
    Parameter,
    ParameterFile,
    dump_parameters,
    evaluate_parameters,
)
from ..substitutions import ExecutableInPackage
from .scope import join_namespaces


class Node(ExecuteProcess):
    """Starts a ROS node; ExecuteProcess's other arguments are taken as well.

    Parameters are dicts (values may be substitutions), Parameter objects, or paths of YAML files;
    a later one wins. Without `package`, `executable` is a path or a program on PATH.
    """

    def __init__(
        self,
        *,
        executable: SomeSubstitutionsType,
        package: SomeSubstitutionsType | None = None,
        name: SomeSubstitutionsType | None = None,
        namespace: SomeSubstitutionsType | None = None,
        exec_name: SomeSubstitutionsType | None = None,
        parameters: Iterable[Any] | None = None,
        remappings: Iterable[tuple[SomeSubstitutionsType, SomeSubstitutionsType]] | None = None,
        arguments: Iterable[SomeSubstitutionsType] | None = None,
        ros_arguments: Iterable[SomeSubstitutionsType] | None = None,
        **kwargs: Any,
    ) -> None:
        if package is not None:
            executable = ExecutableInPackage(package=package, executable=executable)
        super().__init__(cmd=[executable, *(arguments or [])], name=exec_name, **kwargs)
        self.node_package, self.node_executable = package, executable
        self.node_name, self.node_namespace = name, namespace
        self.parameters = self._checked_parameters(parameters)
        self.remappings, self.ros_arguments = list(remappings or []), list(ros_arguments or [])
        self._parameter_files: list[str] = []

    @staticmethod
    def _checked_parameters(parameters: Iterable[Any] | None) -> list[Any]:
        if isinstance(parameters, (str, Mapping)):
            raise TypeError(
                f'Node: parameters must be a list of dicts and paths, got {parameters!r}'
            )
        return list(parameters or [])

    def command_line(self, context: Any) -> list[str]:
        """Evaluates the command with all ROS arguments; writes the parameter files."""

        def text(some: Any) -> str:
            return perform_substitutions(context, some)

        configurations = context.launch_configurations
        rules: list[str] = []
        outer = configurations.get('ros_namespace')
        namespace = None if self.node_namespace is None else text(self.node_namespace)
        if outer or namespace:
            namespace = join_namespaces(outer or '', namespace or '')
            rules.append(f'__ns:={namespace}')
        name = None if self.node_name is None else text(self.node_name)
        if name is not None:
            rules.append(f'__node:={name}')
        rules.extend(f'{src}:={dst}' for src, dst in configurations.get('ros_remaps', []))
        rules.extend(f'{text(src)}:={text(dst)}' for src, dst in self.remappings)
        key = '/**' if name is None else join_namespaces(namespace or '/', name)
        files = self._evaluate_files(context, key, configurations.get('global_params'))
        arguments = [text(argument) for argument in self.ros_arguments]
        arguments += [word for rule in rules for word in ('-r', rule)]
        arguments += [word for path in files for word in ('--params-file', path)]
        return super().command_line(context) + (['--ros-args', *arguments] if arguments else [])

    def _evaluate_files(
        self, context: Any, key: str, global_parameters: Mapping[str, Any] | None
    ) -> list[str]:
        files = [self._write('/**', global_parameters)] if global_parameters else []
        for entry in self.parameters:
            if isinstance(entry, Parameter):
                entry = {entry.name: entry}
            if isinstance(entry, Mapping):
                files.append(self._write(key, evaluate_parameters(context, entry)))
                continue
            path = entry.param_file if isinstance(entry, ParameterFile) else entry
            path = os.fspath(path) if isinstance(path, os.PathLike) else path
            path = perform_substitutions(context, path)
            if not os.path.isfile(path):
                context.logger.warning(f'parameter file does not exist: {path}')
            files.append(path)
        return files

    def _write(self, key: str, parameters: Mapping[str, Any]) -> str:
        with tempfile.NamedTemporaryFile(
            mode='w', prefix='launch_params_', suffix='.yaml', delete=False
        ) as file:
            file.write(dump_parameters(key, parameters))
        self._parameter_files.append(file.name)
        return file.name

    def clean_up(self) -> None:
        while self._parameter_files:
            os.unlink(self._parameter_files.pop())
