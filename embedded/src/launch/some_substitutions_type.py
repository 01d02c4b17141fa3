# SPDX-License-Identifier: Apache-2.0
"""`launch.some_substitutions_type`, where launch files of ROS 2 look for the type."""

from .substitution import SomeSubstitutionsType, SomeSubstitutionsType_types_tuple

__all__ = ['SomeSubstitutionsType', 'SomeSubstitutionsType_types_tuple']
