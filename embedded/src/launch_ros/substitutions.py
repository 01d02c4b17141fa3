# SPDX-License-Identifier: Apache-2.0
"""Substitutions that find packages and their executables."""

from __future__ import annotations

import importlib.metadata
import os
import sysconfig
from typing import Any

from ament_index_python.packages import (
    PackageNotFoundError,
    get_package_prefix,
    get_package_share_directory,
)
from embedded_ros.gap import names_gaps
from launch.substitution import (
    SomeSubstitutionsType,
    Substitution,
    SubstitutionFailure,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)

__getattr__ = names_gaps(__name__)


def package_executables(package: str) -> dict[str, str]:
    """Returns the executables of a package: name -> path.

    They are in `<prefix>/lib/<package>`, as a ROS 2 build installs them, and among the console
    scripts of Python distributions, those whose function is in the package of that name.

    Raises:
        PackageNotFoundError: No package and no script of this name is installed.
    """
    found: dict[str, str] = {}
    for script in importlib.metadata.entry_points(group='console_scripts'):
        path = os.path.join(sysconfig.get_path('scripts'), script.name)
        if script.module.partition('.')[0] == package and os.access(path, os.X_OK):
            found[script.name] = path
    try:
        folder = os.path.join(get_package_prefix(package), 'lib', package)
    except PackageNotFoundError:
        if not found:
            raise
        return found
    for entry in os.scandir(folder) if os.path.isdir(folder) else []:
        if entry.is_file() and os.access(entry.path, os.X_OK):
            found[entry.name] = entry.path
    return found


class FindPackagePrefix(Substitution):
    """Prefix under which a package is installed."""

    find = staticmethod(get_package_prefix)

    def __init__(self, package: SomeSubstitutionsType) -> None:
        self.package = normalize_to_list_of_substitutions(package)

    def perform(self, context: Any) -> str:
        try:
            return str(self.find(perform_substitutions(context, self.package)))
        except (PackageNotFoundError, ValueError) as error:
            raise SubstitutionFailure(str(error)) from error

    def describe(self) -> str:
        return f'{type(self).__name__}({" + ".join(i.describe() for i in self.package)})'


class FindPackageShare(FindPackagePrefix):
    """Share folder of a package, with its launch files and configurations."""

    find = staticmethod(get_package_share_directory)


FindPackage = FindPackagePrefix


class ExecutableInPackage(FindPackagePrefix):
    """Path of an executable of a package."""

    def __init__(self, executable: SomeSubstitutionsType, package: SomeSubstitutionsType) -> None:
        super().__init__(package)
        self.executable = executable

    def perform(self, context: Any) -> str:
        package = perform_substitutions(context, self.package)
        name = perform_substitutions(context, self.executable)
        try:
            executables = package_executables(package)
        except (PackageNotFoundError, ValueError) as error:
            raise SubstitutionFailure(str(error)) from error
        if name not in executables:
            raise SubstitutionFailure(
                f"executable '{name}' not found in package '{package}', "
                f'it has: {", ".join(sorted(executables)) or "none"}'
            )
        return executables[name]
