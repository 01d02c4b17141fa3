# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: F401
"""The actions of launch files that start ROS nodes."""

from embedded_ros.gap import names_gaps

from .node import Node
from .scope import PushROSNamespace, PushRosNamespace, SetParameter, SetRemap, SetUseSimTime

__getattr__ = names_gaps(__name__)
