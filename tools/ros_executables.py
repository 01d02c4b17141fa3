#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes one wrapper per console script of setup.py, for `ros2 run`, and prints their paths.

CMake calls it while configuring: `ros_executables.py OUTPUT_FOLDER`. The paths come out joined
by semicolons, as a CMake list. setup.py is run with setuptools' setup() replaced, so that the
scripts are named in one place only and setuptools need not build anything.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

import setuptools

WRAPPER = """#!{python}
# Generated from setup.py by tools/ros_executables.py.
import sys

from {module} import {function}

sys.exit({function}())
"""


def console_scripts(root: Path) -> dict[str, str]:
    """Console scripts of setup.py, name to 'module:function'."""
    found: dict[str, list[str]] = {}
    setuptools.setup = lambda **arguments: found.update(arguments['entry_points'])
    os.chdir(root)
    runpy.run_path('setup.py', run_name='__main__')
    pairs = (line.split('=') for line in found['console_scripts'])
    return {name.strip(): target.strip() for name, target in pairs}


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, target in console_scripts(Path(__file__).resolve().parent.parent).items():
        module, function = target.split(':')
        path = folder / name
        path.write_text(
            WRAPPER.format(python='/usr/bin/env python3', module=module, function=function)
        )
        path.chmod(0o755)
        paths.append(str(path))
    print(';'.join(paths))


if __name__ == '__main__':
    main()
