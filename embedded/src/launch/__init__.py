# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: F401
"""Launch files: what to start, with which arguments, and what to do when something ends.

The documented behaviour of ROS 2's `launch` (Humble, Jazzy) for launch files in Python.
"""

from embedded_ros.gap import names_gaps

from . import (
    actions,
    conditions,
    event_handlers,
    events,
    launch_description_sources,
    logging,
    substitutions,
    utilities,
)
from .conditions import Condition
from .event import Event
from .event_handler import EventHandler
from .launch_context import LaunchContext
from .launch_description import Action, LaunchDescription, LaunchDescriptionEntity
from .launch_description_sources import InvalidLaunchFileError, LaunchDescriptionSource
from .launch_service import LaunchService
from .substitution import (
    SomeSubstitutionsType,
    SomeSubstitutionsType_types_tuple,
    Substitution,
    SubstitutionFailure,
)

__getattr__ = names_gaps(__name__)
