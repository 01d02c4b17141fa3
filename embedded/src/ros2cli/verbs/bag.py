# SPDX-License-Identifier: Apache-2.0
"""`ros2 bag info BAG`."""

from __future__ import annotations

import argparse
import datetime
import sys

import rosbag2_py


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's subcommands."""
    commands = parser.add_subparsers(dest='command', metavar='command', required=True)
    info = commands.add_parser('info', help='print what a bag holds')
    info.add_argument('bag', help='folder or file of the bag')
    info.set_defaults(run=_info)


def _info(args: argparse.Namespace) -> int:
    try:
        metadata = rosbag2_py.Info().read_metadata(args.bag, '')
    except RuntimeError as error:
        print(f'ros2 bag: {error}', file=sys.stderr)
        return 1
    start_ns, duration_ns = metadata.starting_time.nanoseconds, metadata.duration.nanoseconds
    topics = [
        f'Topic: {info.topic_metadata.name} | Type: {info.topic_metadata.type} | '
        f'Count: {info.message_count} | '
        f'Serialization Format: {info.topic_metadata.serialization_format}'
        for info in metadata.topics_with_message_count
    ]
    rows = {
        'Files': '\n'.join(metadata.relative_file_paths),
        'Bag size': f'{metadata.bag_size / 1024:.1f} KiB',
        'Storage id': metadata.storage_identifier,
        'ROS Distro': metadata.ros_distro or 'unknown',
        'Duration': f'{duration_ns / 1e9:.9f}s',
        'Start': _date(start_ns),
        'End': _date(start_ns + duration_ns),
        'Messages': str(metadata.message_count),
        'Topic information': '\n'.join(topics),
    }
    print()
    for name, text in rows.items():
        lines = text.replace('\n', '\n' + ' ' * 19)
        print(f'{name + ":":<19}{lines}'.rstrip())
    return 0


def _date(time_ns: int) -> str:
    seconds, nanoseconds = divmod(time_ns, 10**9)
    date = datetime.datetime.fromtimestamp(seconds).strftime('%b %e %Y %H:%M:%S')
    return f'{date}.{nanoseconds:09} ({seconds}.{nanoseconds:09})'
