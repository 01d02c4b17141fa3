# SPDX-License-Identifier: Apache-2.0
"""Finds message packages that no installed ROS 2 provides: `std_msgs.msg`, `g1_il.srv`, ...

Appended at the end of `sys.meta_path` when the interpreter starts (see the .pth file), so that
everything installed for real is found first. Until a message package is imported this costs one
string comparison per failed import.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec

KINDS = ('msg', 'srv')
# What ROS 2 has and this runtime does not: an import says so, not just that there is no module.
GAPS = {
    'message_filters': 'message filters are',
    'rclpy.action': 'actions are',
    'rclpy.lifecycle': 'lifecycle nodes are',
    'rclpy.parameter_client': 'parameter services are',
    'rclpy.parameter_service': 'parameter services are',
    'rclpy.time_source': 'simulated time is',
    'tf2_geometry_msgs': 'tf2 is',
    'tf2_py': 'tf2 is',
    'tf2_ros': 'tf2 is',
}


class MessageFinder:
    """Meta path finder of `<package>` (standard packages) and `<package>.msg|srv` (all)."""

    @staticmethod
    def find_spec(fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """The spec of a generated module, or None when the name is not ours."""
        if fullname in GAPS:
            raise ModuleNotFoundError(
                f'{fullname}: {GAPS[fullname]} not offered by the embedded ROS 2 runtime; '
                'use ROS 2 for it',
                name=fullname,
            )
        package, _, kind = fullname.partition('.')
        if kind not in ('', *KINDS) or fullname.startswith('_'):
            return None
        if not kind and not package.endswith(('_msgs', '_interfaces', '_srvs', '_common')):
            return None
        from . import modules

        return modules.find_spec(package, kind)

    @staticmethod
    def invalidate_caches() -> None:
        """Part of the finder protocol; nothing is cached here."""


if not any(finder is MessageFinder for finder in sys.meta_path):
    sys.meta_path.append(MessageFinder)  # type: ignore[arg-type]
