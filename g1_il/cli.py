# SPDX-License-Identifier: Apache-2.0
"""`g1-il`: the offline tools, one verb each.

Every verb lives in the room it belongs to, as a module with `add_<verb>_arguments(parser)` and
`run_<verb>(args) -> int`; it is imported only when it is called, so that `g1-il check` on the
robot does not need torch.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from g1_il import __version__, opengl
from g1_il.errors import G1Error, missing_package

# verb: (module, one line of help)
VERBS = {
    'collect': ('g1_il.rollout.collect_command', 'record scripted episodes in the simulator'),
    'check': ('g1_il.episodes.check_command', 'judge recorded episodes, with reasons'),
    'recover': ('g1_il.episodes.recover_command', 'repair episodes of a killed recorder'),
    'convert': ('g1_il.dataset.convert_command', 'episodes to a LeRobot v3.0 dataset'),
    'validate': ('g1_il.dataset.validate_command', 'check a dataset as its loader would'),
    'train': ('g1_il.learn.train_command', 'train a policy on a dataset'),
    'export': ('g1_il.learn.export_command', 'a trained policy to ONNX, parity checked'),
    'evaluate': ('g1_il.rollout.evaluate_command', 'closed-loop success in the simulator'),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb; a mistake of the user ends in one line and exit status 2."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog='g1-il', description='Imitation learning for the Unitree G1: the offline tools.'
    )
    parser.add_argument('--version', action='version', version=f'g1-il {__version__}')
    verbs = parser.add_subparsers(dest='verb', metavar='VERB', required=True)
    for verb, (module, summary) in VERBS.items():
        verb_parser = verbs.add_parser(verb, help=summary, description=summary)
        if arguments and arguments[0] == verb:
            try:
                opengl.check()
                code = importlib.import_module(module)
            except (ModuleNotFoundError, G1Error) as error:
                return _refuse(verb, error)
            getattr(code, f'add_{verb}_arguments')(verb_parser)
            verb_parser.set_defaults(run=getattr(code, f'run_{verb}'))
    verb = arguments[0] if arguments else ''
    try:
        options = parser.parse_args(arguments)
        return int(options.run(options))
    except BrokenPipeError:
        # Whoever read the output has gone; Python would try to flush the rest at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (ModuleNotFoundError, G1Error, OSError) as error:
        return _refuse(verb, error)
    except KeyboardInterrupt:
        print(f'g1-il {verb}: interrupted', file=sys.stderr)
        return 130


def _refuse(verb: str, error: Exception) -> int:
    """Tells in one line what is wrong."""
    text = str(error)
    if isinstance(error, ModuleNotFoundError):
        text = missing_package(error)
    elif isinstance(error, OSError) and error.strerror:
        text = f'{error.filename or "a file"}: {error.strerror}; mend that and start again'
    print(f'g1-il {verb}: {" ".join(text.split())}', file=sys.stderr)
    return 2


if __name__ == '__main__':
    sys.exit(main())
