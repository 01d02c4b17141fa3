# SPDX-License-Identifier: Apache-2.0
"""Messages as plain Python data and YAML, as ROS 2's rosidl_runtime_py gives them."""

from __future__ import annotations

from .convert import message_to_csv, message_to_ordereddict, message_to_yaml
from .set_message import set_message_fields

__all__ = [
    'message_to_csv',
    'message_to_ordereddict',
    'message_to_yaml',
    'set_message_fields',
]
