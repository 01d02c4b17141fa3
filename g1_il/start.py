# SPDX-License-Identifier: Apache-2.0
"""Starts a node's executable: what is needed before the node's own code can answer for itself.

Loading a node takes seconds and may fail, for a package that is not installed or a setting that
a library reads while it is imported. That is told in one line, as everything else that a user can
mend; and whoever interrupts meanwhile sees no traceback of half an import.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from functools import partial

from g1_il import opengl
from g1_il.errors import ConfigError, missing_package


def start(node: str) -> int:
    """Loads a node and runs its main function.

    Args:
        node: Module in g1_il/nodes.

    Returns:
        Exit code of the node; 2 when it cannot be loaded.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        # Nothing has begun yet that would have to be ended.
        signal.signal(number, lambda *_: os._exit(0))
    try:
        opengl.check()
        module = importlib.import_module(f'g1_il.nodes.{node}')
    except ModuleNotFoundError as error:
        print(f'{node}: {missing_package(error)}', file=sys.stderr)
        return 2
    except ConfigError as error:
        print(f'{node}: {error}', file=sys.stderr)
        return 2
    return int(module.main())


bridge = partial(start, 'bridge')
camera = partial(start, 'camera')
description = partial(start, 'description')
keyboard = partial(start, 'keyboard')
operator = partial(start, 'operator')
policy = partial(start, 'policy')
recorder = partial(start, 'recorder')
retarget = partial(start, 'retarget')
sim = partial(start, 'sim')
trials = partial(start, 'trials')
xr = partial(start, 'xr')
