# SPDX-License-Identifier: Apache-2.0
"""Chooses how MuJoCo draws: without a screen, or not at all where the libraries are missing.

MuJoCo reads MUJOCO_GL once, when it is first imported, and cannot even be imported when it names
a back end whose library is absent. What needs no pictures must still run there.
"""

from __future__ import annotations

import ctypes
import os

EGL_LIBRARY = 'libEGL.so.1'


def choose() -> None:
    """Sets MUJOCO_GL: as the user says, else egl; 'disable' when egl cannot be loaded."""
    if os.environ.setdefault('MUJOCO_GL', 'egl') != 'egl':
        return
    try:
        ctypes.CDLL(EGL_LIBRARY)
    except OSError:
        os.environ['MUJOCO_GL'] = 'disable'
