# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, in two classes: ours, and what the user can mend."""

from __future__ import annotations


class G1Error(Exception):
    """Base of every error that this package raises on purpose."""


class ConfigError(G1Error):
    """Something the user can mend: a parameter, a file, a missing device or package.

    The message is one line: what, the wrong value, the allowed ones, the remedy. Commands and
    nodes print it without a traceback and exit non-zero.
    """


def missing_package(error: ModuleNotFoundError) -> str:
    """What to say when a Python package is not there: its name, and how to get it.

    Raises:
        ModuleNotFoundError: The same error, if a module of this package's own is missing, which
            no user can mend. Its messages are made by the build, or by the embedded runtime.
    """
    name = error.name or str(error)
    if name.startswith('g1_il.') and not name.startswith(('g1_il.msg', 'g1_il.srv')):
        raise error
    package = name.partition('.')[0]
    on_pypi = {'cv2': 'opencv-python-headless', 'yaml': 'PyYAML'}.get(package, package)
    remedy = f'install it (pip install {on_pypi}) or run `make setup`'
    if package in ('g1_il', 'rclpy', 'rosbag2_py') or package.endswith(('_msgs', '_srvs')):
        remedy = 'source ROS 2 and the built workspace (install/setup.bash), or run `make setup`'
    return f'the Python package {package} is not installed; {remedy}'
