# SPDX-License-Identifier: Apache-2.0
"""The default context, and what the process' arguments say."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence

from . import arguments, signals
from .context import Context, shutdown_all

_lock = threading.Lock()
_default: Context | None = None


def get_default_context(*, shutting_down: bool = False) -> Context:
    """The context that is used where none is given."""
    global _default
    with _lock:
        if _default is None:
            _default = Context()
        return _default


def ok(*, context: Context | None = None) -> bool:
    """Whether the context is usable."""
    return (context or get_default_context()).ok()


def shutdown(*, context: Context | None = None) -> None:
    """Ends a context.

    Raises:
        RCLError: It is shut down already.
    """
    (context or get_default_context()).shutdown()


def try_shutdown(*, context: Context | None = None) -> None:
    """Ends a context if that was not done before."""
    (context or get_default_context()).try_shutdown()


def remove_ros_args(args: Sequence[str] | None = None) -> list[str]:
    """The command line without what stands between --ros-args and --."""
    return arguments.parse(list(sys.argv if args is None else args)).others


def get_rmw_implementation_identifier() -> str:
    """Whose wire this is."""
    return 'rmw_cyclonedds_cpp'


def get_available_rmw_implementations() -> set[str]:
    """The only one there is."""
    return {get_rmw_implementation_identifier()}


signals.call_on_signal(shutdown_all)
