# SPDX-License-Identifier: Apache-2.0
"""What the embedded runtime does not offer answers with a sentence that names it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def offered_only(module: str, offered: Iterable[str]) -> Callable[[str], Any]:
    """Makes a module's `__getattr__`: the import of a missing name says what is offered."""
    names = ', '.join(sorted(offered))

    def module_getattr(name: str) -> Any:
        if name.startswith('_'):
            raise AttributeError(f"module '{module}' has no attribute '{name}'")
        raise ImportError(
            f'{module}.{name} is not offered by the embedded ROS runtime (a ROS 2 installation may '
            f'have it); offered: {names}'
        )

    return module_getattr
