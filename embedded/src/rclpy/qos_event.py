# SPDX-License-Identifier: Apache-2.0
"""The name event_handler had up to Humble."""

from __future__ import annotations

from .event_handler import *  # noqa: F403
