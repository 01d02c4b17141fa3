# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: F401
"""`launch_ros.descriptions`, where launch files of ROS 2 look for these."""

from embedded_ros.gap import names_gaps

from .parameter_descriptions import Parameter, ParameterFile, ParameterValue

__getattr__ = names_gaps(__name__)
