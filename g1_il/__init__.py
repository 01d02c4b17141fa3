# SPDX-License-Identifier: Apache-2.0
"""Imitation learning for the Unitree G1 on ROS 2."""

import pkgutil

from g1_il import opengl

# colcon installs `g1_il.msg` and `g1_il.srv` beside an installed copy of this package; without
# this line a source checkout that comes first on the path would hide them.
__path__ = pkgutil.extend_path(__path__, __name__)

# Before MuJoCo is first imported, whichever room does that.
opengl.choose()

__version__ = '0.1.0'
