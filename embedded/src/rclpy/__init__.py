# SPDX-License-Identifier: Apache-2.0
"""rclpy on Cyclone DDS without ROS 2: the embedded runtime's Python client library."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import signals
from .context import Context
from .signals import SignalHandlerOptions
from .utilities import (
    get_default_context,
    get_rmw_implementation_identifier,
    ok,
    remove_ros_args,
    try_shutdown,
)
from .utilities import shutdown as _shutdown

if TYPE_CHECKING:
    from .executors import Executor
    from .node import Node
    from .task import Future

__all__ = [
    'Context',
    'SignalHandlerOptions',
    'create_node',
    'get_default_context',
    'get_global_executor',
    'get_rmw_implementation_identifier',
    'init',
    'ok',
    'remove_ros_args',
    'shutdown',
    'spin',
    'spin_once',
    'spin_until_future_complete',
    'try_shutdown',
]

_executor: Executor | None = None


def __getattr__(name: str) -> Any:
    """Submodules are imported when they are first named: most programs need few of them."""
    try:
        return importlib.import_module(f'.{name}', __name__)
    except ModuleNotFoundError as error:
        if error.name != f'{__name__}.{name}' or 'not offered' in str(error):
            raise
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}') from None


class InitContextManager:
    """Shuts down what init() started, at the end of a with block."""

    def __init__(self, context: Context, uninstall: bool) -> None:
        self._context, self._uninstall = context, uninstall

    def __enter__(self) -> InitContextManager:
        return self

    def __exit__(self, *exception: object) -> None:
        self._context.try_shutdown()
        if self._uninstall:
            signals.uninstall_signal_handlers()


def init(
    *,
    args: Sequence[str] | None = None,
    context: Context | None = None,
    domain_id: int | None = None,
    signal_handler_options: SignalHandlerOptions | None = None,
) -> InitContextManager:
    """Initialises a context (the default one if none is given).

    Args:
        args: Command line; sys.argv when None.
        context: What to initialise.
        domain_id: DDS domain; ROS_DOMAIN_ID when None.
        signal_handler_options: Which signals shut contexts down; all of them for the default
            context, none for others.
    """
    is_default = context is None
    context = context or get_default_context()
    if signal_handler_options is None:
        signal_handler_options = (
            SignalHandlerOptions.ALL if is_default else SignalHandlerOptions.NO
        )
    if not context.ok():
        context.release()
    context.init(args, domain_id=domain_id)
    signals.install_signal_handlers(signal_handler_options)
    return InitContextManager(context, is_default)


def shutdown(*, context: Context | None = None, uninstall_handlers: bool | None = None) -> None:
    """Ends a context.

    Raises:
        RCLError: It is shut down already.
    """
    _shutdown(context=context)
    if uninstall_handlers or (uninstall_handlers is None and context is None):
        signals.uninstall_signal_handlers()


def get_global_executor() -> Executor:
    """The executor of spin() and its relatives."""
    from .executors import SingleThreadedExecutor

    global _executor
    if _executor is None:
        _executor = SingleThreadedExecutor()
        _executor.context.on_shutdown(_reset_global_executor)
    return _executor


def _reset_global_executor() -> None:
    global _executor
    _executor = None


def create_node(node_name: str, **options: Any) -> Node:
    """A node; options as of rclpy.node.Node."""
    from .node import Node

    return Node(node_name, **options)


def spin_once(
    node: Node, *, executor: Executor | None = None, timeout_sec: float | None = None
) -> None:
    """Runs one callback of a node, or waits for it up to the timeout."""
    executor = executor or get_global_executor()
    try:
        executor.add_node(node)
        executor.spin_once(timeout_sec=timeout_sec)
    finally:
        executor.remove_node(node)


def spin(node: Node, executor: Executor | None = None) -> None:
    """Runs callbacks of a node until the context is shut down."""
    executor = executor or get_global_executor()
    try:
        executor.add_node(node)
        while executor.context.ok():
            executor.spin_once()
    finally:
        executor.remove_node(node)


def spin_until_future_complete(
    node: Node,
    future: Future,
    executor: Executor | None = None,
    timeout_sec: float | None = None,
) -> None:
    """Runs callbacks of a node until the future is done, or the time is over."""
    executor = executor or get_global_executor()
    try:
        executor.add_node(node)
        executor.spin_until_future_complete(future, timeout_sec)
    finally:
        executor.remove_node(node)
