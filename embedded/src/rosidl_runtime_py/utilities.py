# SPDX-License-Identifier: Apache-2.0
"""Classes of interfaces by their names."""

from __future__ import annotations

from typing import Any

from embedded_ros import classes, definitions


def get_interface(identifier: str) -> Any:
    """The class of 'pkg/msg/Name' or 'pkg/srv/Name'.

    Raises:
        ValueError: The identifier is no such name.
        ModuleNotFoundError: Nobody knows the interface.
    """
    parts = identifier.split('/')
    if len(parts) != 3 or not all(parts) or parts[1] not in ('msg', 'srv'):
        raise ValueError(
            f"Invalid interface '{identifier}'. Expected the form package/msg/Name or "
            'package/srv/Name (actions are not offered by the embedded runtime)'
        )
    try:
        return classes.interface_class(identifier)
    except definitions.DefinitionError as error:
        raise ModuleNotFoundError(str(error)) from None


def get_message(identifier: str) -> Any:
    """The class of 'pkg/msg/Name' ('pkg/Name' will do)."""
    return get_interface(_with_kind(identifier, 'msg'))


def get_service(identifier: str) -> Any:
    """The class of 'pkg/srv/Name' ('pkg/Name' will do)."""
    return get_interface(_with_kind(identifier, 'srv'))


def _with_kind(identifier: str, kind: str) -> str:
    parts = identifier.split('/')
    return f'{parts[0]}/{kind}/{parts[1]}' if len(parts) == 2 else identifier
