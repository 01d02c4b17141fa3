# SPDX-License-Identifier: Apache-2.0
"""Messages to and from CDR bytes."""

from __future__ import annotations

from typing import Any

from embedded_ros import classes


def serialize_message(message: Any) -> bytes:
    """The CDR bytes of a message."""
    return bytes(classes.serialize(message))


def deserialize_message(serialized_message: bytes, message_type: type) -> Any:
    """The message that CDR bytes hold."""
    return classes.deserialize(bytes(serialized_message), message_type)
