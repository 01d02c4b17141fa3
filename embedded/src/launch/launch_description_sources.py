# SPDX-License-Identifier: Apache-2.0
"""Where launch descriptions come from: launch files in Python."""

from __future__ import annotations

import os
import runpy
from typing import Any

from embedded_ros.gap import names_gaps

from .launch_description import LaunchDescription
from .substitution import (
    SomeSubstitutionsType,
    TextSubstitution,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)

__getattr__ = names_gaps(__name__)


class InvalidLaunchFileError(Exception):
    """A launch file cannot be read, or holds no `generate_launch_description`."""


InvalidPythonLaunchFileError = InvalidLaunchFileError


def get_launch_description_from_python_launch_file(path: str) -> LaunchDescription:
    """Runs a launch file and returns its description."""
    if not os.path.isfile(path):
        raise FileNotFoundError(f'launch file {path} does not exist')
    if not path.endswith('.py'):
        raise InvalidLaunchFileError(
            f'launch file {path}: only launch files in Python (.launch.py) are offered by the '
            'embedded ROS runtime; XML and YAML ones need a ROS 2 installation'
        )
    scope = runpy.run_path(path, run_name='python_launch_file')
    if 'generate_launch_description' not in scope:
        raise InvalidLaunchFileError(
            f'launch file {path} does not define generate_launch_description()'
        )
    return scope['generate_launch_description']()


class LaunchDescriptionSource:
    """A launch description, by itself or (in subclasses) by the path of its file."""

    def __init__(
        self,
        launch_description: LaunchDescription | None = None,
        location: SomeSubstitutionsType = '',
    ) -> None:
        self._description = launch_description
        self._location = normalize_to_list_of_substitutions(location)
        self._path = ''

    @property
    def location(self) -> tuple[str, str]:
        """Path and folder of the launch file; after `get_launch_description`."""
        return self._path, os.path.dirname(self._path)

    def get_launch_description(self, context: Any) -> LaunchDescription:
        """Loads the description, once."""
        if self._path == '':
            path = perform_substitutions(context, self._location)
            self._path = os.path.abspath(path) if path else path
        if self._description is None:
            self._description = self._load(self._path)
        return self._description

    def try_get_launch_description_without_context(self) -> LaunchDescription | None:
        """Loads the description if its path is known without a launch; else None."""
        if self._description is None and all(
            isinstance(part, TextSubstitution) for part in self._location
        ):
            return self.get_launch_description(None)
        return self._description

    def _load(self, path: str) -> LaunchDescription:
        raise NotImplementedError(f'{type(self).__name__} has no launch description')


class PythonLaunchDescriptionSource(LaunchDescriptionSource):
    """A launch file in Python, by its path."""

    def __init__(self, launch_file_path: SomeSubstitutionsType) -> None:
        super().__init__(location=launch_file_path)

    def _load(self, path: str) -> LaunchDescription:
        return get_launch_description_from_python_launch_file(path)


class AnyLaunchDescriptionSource(PythonLaunchDescriptionSource):
    """A launch file of any language; here that is Python."""
