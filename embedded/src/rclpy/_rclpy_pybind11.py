# SPDX-License-Identifier: Apache-2.0
"""Names that user code imports from rclpy's C++ part."""

from __future__ import annotations

from .exceptions import InvalidHandle, RCLError

__all__ = ['InvalidHandle', 'RCLError']
