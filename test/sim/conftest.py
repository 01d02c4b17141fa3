# SPDX-License-Identifier: Apache-2.0
"""What the simulator's tests share."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture
def direct_expert():
    """A new expert that does the task without a human hand in between."""
    path = Path(__file__).with_name('direct_expert.py')
    spec = importlib.util.spec_from_file_location('direct_expert', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.DirectExpert()
