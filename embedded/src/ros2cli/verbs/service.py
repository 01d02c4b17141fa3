# SPDX-License-Identifier: Apache-2.0
"""`ros2 service list` and `ros2 service call`."""

from __future__ import annotations

import argparse
from typing import Any

from ..graph_tools import CommandError, add_list_arguments, hidden_node, print_names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the subcommands."""
    commands = parser.add_subparsers(dest='command', required=True, metavar='command')
    text = 'Names of all services.'
    listing = commands.add_parser('list', help=text, description=text)
    add_list_arguments(listing, 'services')
    listing.set_defaults(run=_list)

    text = 'Call a service once and print its response.'
    call = commands.add_parser('call', help=text, description=text)
    call.add_argument('service_name', help="e.g. '/gate/arm'")
    call.add_argument('service_type', help="e.g. 'std_srvs/srv/Trigger'")
    call.add_argument(
        'values', nargs='?', default='{}', help="request as YAML, e.g. '{data: true}'"
    )
    call.add_argument(
        '--timeout',
        type=float,
        default=None,
        metavar='S',
        help='give up after this long (default: wait for ever)',
    )
    call.set_defaults(run=_call)


def _list(args: argparse.Namespace) -> int:
    with hidden_node(args.spin_time) as node:
        found = node.get_service_names_and_types()
    print_names(found, args)
    return 0


def _refuse_shutdown(node: Any) -> None:
    """Tells a wait that a signal ended from one that took too long."""
    from rclpy.executors import ExternalShutdownException

    if not node.context.ok():
        raise ExternalShutdownException()


def _call(args: argparse.Namespace) -> int:
    import rclpy
    import yaml
    from rosidl_runtime_py import set_message_fields
    from rosidl_runtime_py.utilities import get_service

    try:
        service = get_service(args.service_type)
    except (ValueError, ModuleNotFoundError) as error:
        raise CommandError(str(error)) from None
    if not hasattr(service, 'Request'):
        raise CommandError(f'{args.service_type} is a message, not a service')
    request = service.Request()
    try:
        set_message_fields(request, yaml.safe_load(args.values) or {})
    except (yaml.YAMLError, AttributeError, TypeError, ValueError, AssertionError) as error:
        reason = ' '.join(str(error).split())
        raise CommandError(f'Cannot fill the request from {args.values!r}: {reason}') from None
    with hidden_node() as node:
        client = node.create_client(service, args.service_name)
        if not client.service_is_ready():
            print('waiting for service to become available...', flush=True)
            if not client.wait_for_service(args.timeout):
                _refuse_shutdown(node)
                raise CommandError(f'No service {args.service_name} within {args.timeout} s')
        print(f'requester: making request: {request!r}\n', flush=True)
        future = client.call_async(request)
        rclpy.spin_until_future_complete(node, future, timeout_sec=args.timeout)
        if not future.done():
            _refuse_shutdown(node)
            raise CommandError(f'No response of {args.service_name} within {args.timeout} s')
        print(f'response:\n{future.result()!r}\n')
    return 0
