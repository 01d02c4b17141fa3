# SPDX-License-Identifier: Apache-2.0
"""What the main function of a plain node does: make it, spin it, end it cleanly."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.exceptions import NameValidationException
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node

from g1_il.errors import ConfigError, G1Error
from g1_il.ros.params import refuse_unknown

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_node(
    name: str,
    make: Callable[[], Node],
    args: list[str] | None,
    *,
    work: Callable[[Any], int] | None = None,
) -> int:
    """Runs a node until SIGINT or SIGTERM, or until its work is done.

    rclpy's own signal handler shuts the context down and then calls the one that was there
    before; that one does nothing here, so that a signal always ends `spin` in the same way, and
    a repeated one (from the terminal and from launch) disturbs no clean-up.

    Args:
        name: Of the node, for messages.
        make: Makes the node; if it has a method `stop`, that is called in the end.
        args: Command line, None for the process's own.
        work: What to do with the node instead of only spinning it; returns the exit code.

    Returns:
        Exit code: that of `work`, else 0; 2 after a ConfigError and 1 after another error of
        ours, which are told in one line on stderr.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, _do_nothing)
    node: Node | None = None
    try:
        init_ros(args)
        node = make()
        refuse_unknown(node)
        if work is not None:
            return work(node)
        rclpy.spin(node)
    except ConfigError as error:
        print(f'{name}: {error}', file=sys.stderr)
        return 2
    except G1Error as error:
        print(f'{name}: {error}', file=sys.stderr)
        return 1
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except NameValidationException as error:
        print(f'{name}: {one_line(error)}', file=sys.stderr)
        return 2
    except Exception:
        if rclpy.ok():
            raise
        # A signal came while the node was being made: what it met then is no fault.
    finally:
        if node is not None:
            if hasattr(node, 'stop'):
                node.stop()
            node.destroy_node()
        rclpy.try_shutdown()
        for number in STOP_SIGNALS:
            # Python's exit restores the default, death, for all handlers but this one.
            signal.signal(number, signal.SIG_IGN)
    return 0


def init_ros(args: list[str] | None, **options: Any) -> None:
    """rclpy.init; what it refuses is the user's: arguments, parameter files, ROS_DOMAIN_ID.

    Raises:
        ConfigError: It cannot begin with these arguments in this environment.
    """
    try:
        rclpy.init(args=args, **options)
    except Exception as error:  # RCLError, UnknownROSArgsError, RuntimeError, by distribution
        raise ConfigError(one_line(error)) from error


def one_line(error: Exception) -> str:
    """What an error says, in one line."""
    lines = (line.strip() for line in str(error).splitlines())
    return ' '.join(line for line in lines if line.strip('^ ')) or type(error).__name__


def _do_nothing(number: int, frame: object) -> None:
    """Stands where Python's own handler would raise KeyboardInterrupt."""
