# SPDX-License-Identifier: Apache-2.0
"""What the embedded runtime does not offer answers with a sentence that names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def names_gaps(module: str) -> Callable[[str], Any]:
    """Makes a module's `__getattr__`: importing a name it does not have says so."""

    def module_getattr(name: str) -> Any:
        if name.startswith('_'):
            raise AttributeError(f"module '{module}' has no attribute '{name}'")
        raise ImportError(
            f'{module}.{name} is not offered by the embedded ROS runtime; a ROS 2 installation '
            'may have it'
        )

    return module_getattr
