# SPDX-License-Identifier: Apache-2.0
"""`ros2 topic list`, `ros2 topic echo` and `ros2 topic hz`."""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections import deque
from typing import Any

from ..graph_tools import CommandError, add_list_arguments, hidden_node, print_names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the subcommands."""
    commands = parser.add_subparsers(dest='command', required=True, metavar='command')
    text = 'Names of all topics.'
    listing = commands.add_parser('list', help=text, description=text)
    add_list_arguments(listing, 'topics')
    listing.set_defaults(run=_list)

    text = 'Print the messages of a topic as YAML.'
    echo = commands.add_parser('echo', help=text, description=text)
    _add_topic(echo)
    echo.add_argument('--once', action='store_true', help='end after the first message')
    echo.add_argument('--field', help="print one field only, e.g. 'header.stamp'")
    echo.add_argument('--csv', action='store_true', help='print values separated by commas')
    echo.add_argument('--no-arr', action='store_true', help='print only the length of arrays')
    echo.add_argument('--no-str', action='store_true', help='print only the length of strings')
    echo.add_argument(
        '-f', '--full-length', action='store_true', help='do not cut long arrays and strings'
    )
    echo.set_defaults(run=_echo)

    text = 'Measure the rate of a topic, once a second.'
    rate = commands.add_parser('hz', help=text, description=text)
    _add_topic(rate)
    rate.add_argument(
        '-w',
        '--window',
        type=int,
        default=10000,
        help='messages to average (default: %(default)s)',
    )
    rate.set_defaults(run=_hz)


def _add_topic(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('topic_name', help="e.g. '/joint_states'")
    parser.add_argument(
        'message_type', nargs='?', help="e.g. 'sensor_msgs/msg/JointState'; asked of the graph"
    )
    parser.add_argument(
        '--timeout',
        type=float,
        default=None,
        metavar='S',
        help='give up when there is no message for this long (default: wait for ever)',
    )
    parser.add_argument(
        '--qos-reliability',
        choices=['reliable', 'best_effort', 'best_available'],
        default='best_available',
        help='default: whatever the publishers offer',
    )
    parser.add_argument(
        '--qos-durability',
        choices=['volatile', 'transient_local', 'best_available'],
        default='best_available',
        help='default: whatever the publishers offer',
    )
    parser.add_argument('--qos-depth', type=int, default=100, help='queue (default: %(default)s)')


def _list(args: argparse.Namespace) -> int:
    with hidden_node(args.spin_time) as node:
        own = {'/parameter_events'} if node.count_publishers('/parameter_events') == 1 else set()
        found = [item for item in node.get_topic_names_and_types() if item[0] not in own]
    print_names(found, args)
    return 0


def _subscribe(node: Any, args: argparse.Namespace, callback: Any, *, raw: bool) -> Any:
    """Subscribes once somebody publishes the topic, with the publishers' type and QoS."""
    from rclpy.executors import ExternalShutdownException
    from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
    from rosidl_runtime_py.utilities import get_message

    if args.message_type:
        try:
            get_message(args.message_type)
        except (ValueError, ModuleNotFoundError) as error:
            raise CommandError(str(error)) from None
    topic = node.resolve_topic_name(args.topic_name)
    graph = node.context.graph
    end = float('inf') if args.timeout is None else time.monotonic() + args.timeout
    while not (publishers := graph.on_topic('publication', topic)):
        left = end - time.monotonic()
        if left <= 0:
            raise CommandError(f'Nobody publishes {topic} within {args.timeout} s')
        graph.wait_for_change(min(left, 1e6))
        if not node.context.ok():
            raise ExternalShutdownException()
    types = sorted({publisher.ros_type() for publisher in publishers})
    if len(types) > 1 and args.message_type is None:
        raise CommandError(f'{topic} has several types: {", ".join(types)}; name one of them')
    try:
        message_class = get_message(args.message_type or types[0])
    except (ValueError, ModuleNotFoundError) as error:
        raise CommandError(str(error)) from None
    profile = QoSProfile(
        depth=args.qos_depth,
        reliability=ReliabilityPolicy[args.qos_reliability.upper()],
        durability=DurabilityPolicy[args.qos_durability.upper()],
    )
    return node.create_subscription(message_class, topic, callback, profile, raw=raw)


def _echo(args: argparse.Namespace) -> int:
    import rclpy
    from rosidl_runtime_py import message_to_csv, message_to_yaml

    limit = None if args.full_length else 128
    options = {'truncate_length': limit, 'no_arr': args.no_arr, 'no_str': args.no_str}
    received = 0

    def show(message: Any) -> None:
        nonlocal received
        received += 1
        for name in args.field.split('.') if args.field else ():
            if not hasattr(message, name):
                raise CommandError(f'{type(message).__name__} has no field {name!r}')
            message = getattr(message, name)
        if not hasattr(message, 'get_fields_and_field_types'):
            text = str(message)
        elif args.csv:
            text = message_to_csv(message, **options)
        else:
            text = message_to_yaml(message, **options).rstrip()
        print(text if args.csv else f'{text}\n---', flush=True)

    with hidden_node() as node:
        _subscribe(node, args, show, raw=False)
        while not (args.once and received):
            before = received
            rclpy.spin_once(node, timeout_sec=args.timeout)
            if received == before and args.timeout is not None:
                raise CommandError(f'No message on {args.topic_name} within {args.timeout} s')
    return 0


def _hz(args: argparse.Namespace) -> int:
    import rclpy

    arrivals: deque[float] = deque(maxlen=args.window + 1)
    with hidden_node() as node:
        _subscribe(node, args, lambda _: arrivals.append(time.monotonic()), raw=True)
        last, reported = time.monotonic(), 0
        total = 0
        while True:
            count = len(arrivals)
            newest = arrivals[-1] if arrivals else None
            rclpy.spin_once(node, timeout_sec=max(0.0, last + 1.0 - time.monotonic()))
            total += bool(arrivals) and (len(arrivals) != count or arrivals[-1] != newest)
            if time.monotonic() < last + 1.0:
                continue
            last = time.monotonic()
            if total > reported and len(arrivals) > 1:
                _print_rate(list(arrivals))
            elif args.timeout is not None and (not arrivals or last - arrivals[-1] > args.timeout):
                raise CommandError(f'No message on {args.topic_name} within {args.timeout} s')
            elif total == reported:
                print('no new messages', flush=True)
            reported = total


def _print_rate(times: list[float]) -> None:
    periods = [after - before for before, after in itertools.pairwise(times)]
    mean = statistics.fmean(periods)
    print(
        f'average rate: {1.0 / mean if mean else 0.0:.3f}\n'
        f'\tmin: {min(periods):.3f}s max: {max(periods):.3f}s '
        f'std dev: {statistics.pstdev(periods):.5f}s window: {len(times)}',
        flush=True,
    )
