# SPDX-License-Identifier: Apache-2.0
"""`ros2 node list`."""

from __future__ import annotations

import argparse

from ..graph_tools import add_spin_time, hidden_node, is_hidden


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the subcommands."""
    commands = parser.add_subparsers(dest='command', required=True, metavar='command')
    text = 'Names of all nodes.'
    listing = commands.add_parser('list', help=text, description=text)
    add_spin_time(listing)
    listing.add_argument('-a', '--all', action='store_true', help='print hidden nodes, too')
    listing.add_argument('-c', '--count', action='store_true', help='print only how many')
    listing.set_defaults(run=_list)


def _list(args: argparse.Namespace) -> int:
    with hidden_node(args.spin_time) as node:
        own = node.get_fully_qualified_name()
        names = sorted(name for name in node.get_fully_qualified_node_names() if name != own)
    shown = [name for name in names if args.all or not is_hidden(name)]
    print(len(shown) if args.count else '\n'.join(shown), end='\n' if shown or args.count else '')
    return 0
