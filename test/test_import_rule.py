# SPDX-License-Identifier: Apache-2.0
"""Which room may import what: checked on what the interpreter really loads.

Every module of every room is imported in a fresh interpreter in which the forbidden packages
raise on import, so that a forbidden import hidden in a helper is found as well.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / 'g1_il'

# package: rooms that may import it
ROS = {'nodes', 'ros'}
ALLOWED = {
    'rclpy': ROS,
    'rosbag2_py': ROS,
    'cv_bridge': ROS,
    'std_msgs': ROS,
    'sensor_msgs': ROS,
    'geometry_msgs': ROS,
    'std_srvs': ROS,
    'rcl_interfaces': ROS,
    'tf2_msgs': ROS,
    'diagnostic_msgs': ROS,
    'unitree_sdk2py': {'link'},
    'cyclonedds': {'link'},
    'pyrealsense2': {'camera'},
    'torch': {'learn', 'policy'},
    'mujoco': {'sim', 'retarget', 'rollout'},
    'mink': {'retarget'},
}
# room: rooms that it may import besides itself; the root's modules may be imported by all
MAY_USE = {
    'robot': set(),
    'link': {'robot'},
    'safety': {'robot', 'link'},
    'xr': {'robot'},
    'camera': set(),
    'rows': {'robot'},
    'retarget': {'robot', 'xr'},
    'sim': {'robot', 'xr', 'camera'},
    'episodes': {'robot', 'rows'},
    'dataset': {'robot', 'rows', 'episodes', 'camera', 'ros'},
    'policy': {'robot', 'rows', 'camera'},
    'learn': {'robot', 'rows', 'dataset', 'policy', 'camera'},
    'rollout': {
        'robot', 'xr', 'camera', 'retarget', 'safety', 'sim', 'rows', 'episodes', 'policy', 'ros',
    },
    'ros': {'robot', 'link', 'xr', 'safety', 'camera', 'rows', 'episodes', 'policy', 'sim'},
}  # fmt: skip
# Verbs of the command line stand above the rooms: they may read bags.
COMMANDS_MAY_USE = {'ros', 'rows', 'episodes', 'robot'}


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob('*.py') if p.parent != PACKAGE)


def imports(path: Path) -> set[str]:
    """Dotted names that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f'{node.module}.{alias.name}' for alias in node.names)}
    return found


@pytest.mark.parametrize('path', modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_module_imports_only_what_its_room_may(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0]
    for name in imports(path):
        package = name.split('.')[0]
        if package in ALLOWED:
            assert room in ALLOWED[package], f'{room}/ imports {package}'
        if name.startswith(('g1_il.msg', 'g1_il.srv')):
            assert room in ROS, f'{room}/ imports messages'
        elif name.startswith('g1_il.'):
            other = name.split('.')[1]
            assert other != 'nodes' or room == 'nodes', f'{room}/ imports nodes/'
            if (PACKAGE / other).is_dir() and other != room and room != 'nodes':
                allowed = MAY_USE[room]
                if path.name.endswith('_command.py'):
                    allowed = allowed | COMMANDS_MAY_USE
                assert other in allowed, f'{room}/ imports {other}/'
    if room == 'nodes':
        own = f'g1_il.nodes.{path.stem}'
        assert not any(
            n.startswith('g1_il.nodes') and not n.startswith(own) for n in imports(path)
        )


@pytest.mark.parametrize('room', ['robot', 'safety', 'rows', 'xr', 'retarget', 'policy'])
def test_room_loads_without_the_packages_it_may_not_use(room: str) -> None:
    forbidden = sorted(p for p, rooms in ALLOWED.items() if room not in rooms)
    names = [
        'g1_il.' + '.'.join(p.relative_to(PACKAGE).with_suffix('').parts)
        for p in (PACKAGE / room).rglob('*.py')
        if p.name != '__init__.py' and 'torch' not in p.name and not p.name.endswith('_command.py')
    ]
    code = (
        'import sys, importlib\n'
        'class Refuse:\n'
        '    def find_spec(self, name, path=None, target=None):\n'
        f'        if name.split(".")[0] in {set(forbidden)!r}:\n'
        '            raise ImportError(f"the import rule forbids {name} here")\n'
        'sys.meta_path.insert(0, Refuse())\n'
        f'for name in {names!r}:\n'
        '    importlib.import_module(name)\n'
    )
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr[-800:]
