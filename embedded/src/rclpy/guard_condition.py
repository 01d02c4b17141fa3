# SPDX-License-Identifier: Apache-2.0
"""Guard conditions."""

from __future__ import annotations

from .entity import GuardCondition

__all__ = ['GuardCondition']
