# SPDX-License-Identifier: Apache-2.0
"""Clients of services."""

from __future__ import annotations

from .service import Client

__all__ = ['Client']
