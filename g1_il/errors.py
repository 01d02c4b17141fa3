# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, in two classes: ours, and what the user can mend."""

from __future__ import annotations


class G1Error(Exception):
    """Base of every error that this package raises on purpose."""


class ConfigError(G1Error):
    """Something the user can mend: a parameter, a file, a missing device or package.

    The message is one line: what, the wrong value, the allowed ones, the remedy. Commands and
    nodes print it without a traceback and exit non-zero.
    """
