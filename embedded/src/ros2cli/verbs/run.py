# SPDX-License-Identifier: Apache-2.0
"""`ros2 run PACKAGE EXECUTABLE [arguments]`."""

from __future__ import annotations

import argparse
import os
import shlex
import sys

from ament_index_python.packages import PackageNotFoundError
from launch_ros.substitutions import package_executables


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    parser.add_argument('--prefix', default='', help='a command to run the executable with')
    parser.add_argument('package', help='name of the package')
    parser.add_argument('executable', help='name of the executable')
    parser.add_argument('arguments', nargs=argparse.REMAINDER, help='arguments for it')


def run(args: argparse.Namespace) -> int:
    """Becomes the executable: signals reach it and its exit code is this command's."""
    try:
        executables = package_executables(args.package)
    except (PackageNotFoundError, ValueError) as error:
        print(f'ros2 run: {error}', file=sys.stderr)
        return 1
    if args.executable not in executables:
        print(
            f"ros2 run: package '{args.package}' has no executable '{args.executable}', "
            f'it has: {", ".join(sorted(executables)) or "none"}',
            file=sys.stderr,
        )
        return 1
    command = [*shlex.split(args.prefix), executables[args.executable], *args.arguments]
    sys.stdout.flush()
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f'ros2 run: {command[0]} cannot be run: {error}', file=sys.stderr)
    return 1
