# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: F401
"""Helpers that launch files and actions of others import from `launch.utilities`."""

from embedded_ros.gap import names_gaps

from .launch_description import visit_all_entities_and_collect_futures
from .substitution import normalize_to_list_of_substitutions, perform_substitutions

__getattr__ = names_gaps(__name__)
