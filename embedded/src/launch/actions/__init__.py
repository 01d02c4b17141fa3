# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: F401
"""The actions of launch files."""

from embedded_ros.gap import names_gaps

from .execute_process import ExecuteProcess
from .flow import (
    EmitEvent,
    LogInfo,
    RegisterEventHandler,
    Shutdown,
    TimerAction,
    UnregisterEventHandler,
)
from .structure import (
    AppendEnvironmentVariable,
    DeclareLaunchArgument,
    GroupAction,
    IncludeLaunchDescription,
    OpaqueFunction,
    SetEnvironmentVariable,
    SetLaunchConfiguration,
    UnsetEnvironmentVariable,
    UnsetLaunchConfiguration,
)

__getattr__ = names_gaps(__name__)
