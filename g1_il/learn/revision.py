# SPDX-License-Identifier: Apache-2.0
"""Which code made a model."""

from __future__ import annotations

import subprocess
from pathlib import Path

import g1_il


def git_revision() -> str:
    """Revision of the checkout this package runs from, with -dirty when it has changes.

    Returns:
        The hash, or the package's version when it does not run from a checkout.
    """
    folder = Path(__file__).parent
    try:
        revision = subprocess.run(
            ['git', '-C', str(folder), 'describe', '--always', '--dirty', '--abbrev=40',
             '--exclude=*'],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return f'version {g1_il.__version__}'
    return revision.stdout.strip()
