# SPDX-License-Identifier: Apache-2.0
"""`ros2 launch PACKAGE FILE [name:=value ...]` or `ros2 launch PATH [name:=value ...]`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch import LaunchContext, LaunchDescription, LaunchService
from launch import logging as launch_logging
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource


class LaunchError(Exception):
    """The command line does not say what to launch."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    parser.add_argument('package', help='a package, or the path of a launch file')
    parser.add_argument('words', nargs='*', metavar='[file] [name:=value ...]')
    parser.add_argument(
        '-s', '--show-args', '--show-arguments', action='store_true',
        help='show the arguments of the launch file, and start nothing',
    )  # fmt: skip
    parser.add_argument(
        '-n', '--noninteractive', action='store_true', default=not sys.stdin.isatty(),
        help='there is no terminal whose Ctrl-C reaches the processes (default: if there is none)',
    )  # fmt: skip
    parser.add_argument(
        '-a', '--show-all-subprocesses-output', action='store_true',
        help='show the output of all processes on the screen',
    )  # fmt: skip
    parser.add_argument('-d', '--debug', action='store_true', help='log what launch itself does')


def run(args: argparse.Namespace) -> int:
    """Launches, and returns 0, or 1 when the launch itself failed."""
    try:
        path, words = _launch_file(args.package, list(args.words))
        pairs = [_argument(word) for word in words]
        description = PythonLaunchDescriptionSource(path)
        if args.show_args:
            arguments = description.get_launch_description(LaunchContext()).get_launch_arguments()
    except Exception as error:
        print(f'ros2 launch: {error}', file=sys.stderr)
        return 1
    if args.show_args:
        _show_arguments(arguments)
        return 0
    if args.show_all_subprocesses_output:
        os.environ['OVERRIDE_LAUNCH_PROCESS_OUTPUT'] = 'both'
    service = LaunchService(argv=words, noninteractive=args.noninteractive, debug=args.debug)
    config = launch_logging.launch_config
    launch_logging.get_logger('launch').info(f'All log files can be found below {config.log_dir}')
    include = IncludeLaunchDescription(description, launch_arguments=pairs)
    service.include_launch_description(LaunchDescription([include]))
    return service.run()


def _launch_file(package: str, words: list[str]) -> tuple[str, list[str]]:
    """Returns the launch file's path and the words that are left, which are its arguments."""
    if os.path.isfile(package):
        return os.path.abspath(package), words
    if not words or ':=' in words[0]:
        raise LaunchError(f"'{package}' is not a launch file; a package needs a file after it")
    name, *words = words
    try:
        share = get_package_share_directory(package)
    except (PackageNotFoundError, ValueError) as error:
        raise LaunchError(str(error)) from error
    found = sorted(_files(share, name))
    if len(found) != 1:
        what = 'is there several times' if found else 'was not found'
        raise LaunchError(
            f"file '{name}' {what} in the share directory of package '{package}', which is at "
            f"'{share}'{': ' if found else ''}{', '.join(found)}"
        )
    return found[0], words


def _files(share: str, name: str) -> list[str]:
    direct = [os.path.join(share, folder, name) for folder in ('launch', '')]
    near = [path for path in direct if os.path.isfile(path)]
    # A source checkout holds virtual environments and builds: they are not part of its share.
    source = os.path.isdir(os.path.join(share, '.git'))
    return near[:1] or ([] if source else [str(path) for path in Path(share).rglob(name)])


def _argument(word: str) -> tuple[str, str]:
    name, separator, value = word.partition(':=')
    if not separator or not name:
        raise LaunchError(f"malformed launch argument '{word}', expected '<name>:=<value>'")
    return name, value


def _show_arguments(arguments: list[DeclareLaunchArgument]) -> None:
    print("Arguments (pass arguments as '<name>:=<value>'):")
    for argument in arguments:
        print(f"\n    '{argument.name}':\n        {argument.description}")
        if argument.default_value is not None:
            parts = ' + '.join(part.describe() for part in argument.default_value)
            print(f'        (default: {parts})')
    if not arguments:
        print('\n  No arguments.')
