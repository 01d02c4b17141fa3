# SPDX-License-Identifier: Apache-2.0
"""The `ros2` command: a small table of verbs, each in a module that is imported when asked for."""

from __future__ import annotations

import argparse
import importlib
import sys

from .graph_tools import CommandError

# verb: (module with `add_arguments(parser)` and `run(args) -> int`, help). A verb with subcommands
# adds its own subparsers and sets `parser.set_defaults(run=...)` on each.
VERBS: dict[str, tuple[str, str]] = {
    'bag': ('ros2cli.verbs.bag', 'what a recorded bag holds'),
    'launch': ('ros2cli.verbs.launch', 'run a launch file'),
    'node': ('ros2cli.verbs.node', 'nodes of the graph'),
    'run': ('ros2cli.verbs.run', 'run an executable of a package'),
    'service': ('ros2cli.verbs.service', 'list and call services'),
    'topic': ('ros2cli.verbs.topic', 'list, print and measure topics'),
}


def main(argv: list[str] | None = None) -> int:
    """Runs one verb and returns its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(
        prog='ros2', description='ROS 2 command of the embedded runtime.'
    )
    verbs = parser.add_subparsers(dest='verb', metavar='verb', required=True)
    chosen = next((word for word in argv if not word.startswith('-')), None)
    for name, (module_name, text) in VERBS.items():
        verb = verbs.add_parser(name, help=text, description=text)
        if name == chosen:
            module = importlib.import_module(module_name)
            module.add_arguments(verb)
            if hasattr(module, 'run'):
                verb.set_defaults(run=module.run)
    args = parser.parse_args(argv)
    try:
        return int(args.run(args) or 0)
    except CommandError as error:
        print(f'ros2 {name_of(args)}: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130 if chosen == 'service' else 0
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def name_of(args: argparse.Namespace) -> str:
    """The verb with its subcommand."""
    return ' '.join(filter(None, [args.verb, getattr(args, 'command', None)]))


if __name__ == '__main__':
    sys.exit(main())
