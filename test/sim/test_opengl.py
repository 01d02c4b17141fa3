# SPDX-License-Identifier: Apache-2.0
"""The choice of OpenGL, and what is said where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from g1_il import opengl

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ('asked', 'library', 'chosen'),
    [
        (None, opengl.EGL_LIBRARY, 'egl'),
        (None, 'libthere_is_none.so.9', 'disable'),
        ('egl', 'libthere_is_none.so.9', 'disable'),
        ('osmesa', 'libthere_is_none.so.9', 'osmesa'),
    ],
)
def test_choice(monkeypatch, asked, library, chosen):
    monkeypatch.setattr(opengl, 'EGL_LIBRARY', library)
    monkeypatch.delenv('MUJOCO_GL', raising=False)
    if asked is not None:
        monkeypatch.setenv('MUJOCO_GL', asked)
    opengl.choose()
    assert os.environ['MUJOCO_GL'] == chosen


def test_without_opengl_everything_but_pictures_works():
    program = """
from g1_il.errors import ConfigError
from g1_il.sim.simulator import Simulator
simulator = Simulator()
simulator.step(None)
try:
    simulator.render(64, 48)
except ConfigError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, '-c', program],
        cwd=ROOT,
        env={**os.environ, 'MUJOCO_GL': 'disable'},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert 'libegl1' in done.stdout and 'Traceback' not in done.stderr
