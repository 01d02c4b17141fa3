# SPDX-License-Identifier: Apache-2.0
"""Prefixes that are searched for packages."""

from __future__ import annotations

import os
import sys


def get_search_paths() -> list[str]:
    """AMENT_PREFIX_PATH, then the interpreter's own prefix; existing folders only."""
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    return [prefix for prefix in [*prefixes, sys.prefix] if prefix and os.path.isdir(prefix)]
