# SPDX-License-Identifier: Apache-2.0
"""Imitation learning for the Unitree G1 on ROS 2."""

import os
import pkgutil

# colcon installs `g1_il.msg` and `g1_il.srv` beside an installed copy of this package; without
# this line a source checkout that comes first on the path would hide them.
__path__ = pkgutil.extend_path(__path__, __name__)

# MuJoCo reads this once, when it is first imported, whichever room does that; its own default
# needs a screen, which robots and servers do not have.
os.environ.setdefault('MUJOCO_GL', 'egl')

__version__ = '0.1.0'
