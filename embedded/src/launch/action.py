# SPDX-License-Identifier: Apache-2.0
"""`launch.action.Action`, where launch files of ROS 2 look for it."""

from .launch_description import Action

__all__ = ['Action']
