# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: F401
"""What launch files need for ROS nodes, with the documented behaviour of ROS 2's `launch_ros`."""

from embedded_ros.gap import names_gaps

from . import actions, descriptions, parameter_descriptions, substitutions

__getattr__ = names_gaps(__name__)
