# SPDX-License-Identifier: Apache-2.0
"""What the verbs share: a node of their own, and patience until the graph is known."""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class CommandError(Exception):
    """Something the user can put right; printed as one line."""


def add_spin_time(parser: argparse.ArgumentParser) -> None:
    """Adds --spin-time."""
    parser.add_argument(
        '--spin-time',
        type=float,
        default=0.7,
        metavar='S',
        help='how long to listen for the graph before answering (default: %(default)s s)',
    )


@contextmanager
def hidden_node(spin_time_s: float = 0.0) -> Iterator[Any]:
    """A node that lists leave out; it has listened for `spin_time_s`.

    Raises:
        SystemExit: SIGTERM came; the status is its number, as with ROS 2's own command.
    """
    import rclpy
    from rclpy.exceptions import NameValidationException
    from rclpy.executors import ExternalShutdownException

    try:
        context = rclpy.init(args=[])
    except RuntimeError as error:  # of the environment's variables
        raise CommandError(str(error)) from None
    with context:
        node = rclpy.create_node(f'_ros2cli_{os.getpid()}', enable_rosout=False)
        try:
            if spin_time_s > 0:
                time.sleep(spin_time_s)
            yield node
        except NameValidationException as error:
            raise CommandError(' '.join(str(error).replace('^', '').split())) from None
        except ExternalShutdownException:
            raise SystemExit(int(signal.SIGTERM)) from None
        finally:
            node.destroy_node()


def is_hidden(name: str) -> bool:
    """Whether a part of the name begins with an underscore."""
    return any(token.startswith('_') for token in name.split('/'))


def print_names(found: list[tuple[str, list[str]]], args: argparse.Namespace) -> None:
    """Prints names, with their types if asked."""
    shown = [item for item in found if args.include_hidden or not is_hidden(item[0])]
    if args.count:
        print(len(shown))
        return
    for name, types in shown:
        print(f'{name} [{", ".join(types)}]' if args.show_types else name)


def add_list_arguments(parser: argparse.ArgumentParser, what: str) -> None:
    """Adds what lists of topics and services have in common."""
    add_spin_time(parser)
    parser.add_argument('-t', '--show-types', action='store_true', help='print the types, too')
    parser.add_argument('-c', '--count', action='store_true', help='print only how many there are')
    parser.add_argument(
        f'--include-hidden-{what}',
        dest='include_hidden',
        action='store_true',
        help='print those beginning with an underscore, too',
    )
