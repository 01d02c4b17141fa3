# SPDX-License-Identifier: Apache-2.0
"""Chooses how MuJoCo draws: without a screen, or not at all where the libraries are missing.

MuJoCo reads MUJOCO_GL once, when it is first imported, and cannot even be imported when it names
a back end whose library is absent. What needs no pictures must still run there.
"""

from __future__ import annotations

import ctypes
import os

from g1_il.errors import ConfigError

# What MuJoCo takes on Linux, besides nothing.
DRAWING = ('egl', 'osmesa', 'glfw', 'enable', 'enabled', 'on', 'true', '1')
NOT_DRAWING = ('disable', 'disabled', 'off', 'false', '0')
EGL_LIBRARY = 'libEGL.so.1'


def choose() -> None:
    """Sets MUJOCO_GL: as the user says, else egl; 'disable' when egl cannot be loaded."""
    if os.environ.setdefault('MUJOCO_GL', 'egl') != 'egl':
        return
    try:
        ctypes.CDLL(EGL_LIBRARY)
    except OSError:
        os.environ['MUJOCO_GL'] = 'disable'


def check() -> None:
    """Refuses a value of MUJOCO_GL with which MuJoCo could not be imported.

    Raises:
        ConfigError: It is not one that MuJoCo knows.
    """
    value = os.environ.get('MUJOCO_GL', '').strip().lower()
    if value not in ('', *DRAWING, *NOT_DRAWING):
        raise ConfigError(
            f'the environment variable MUJOCO_GL is {value!r}; allowed: egl, osmesa, glfw, '
            'disable; unset it to have egl'
        )
