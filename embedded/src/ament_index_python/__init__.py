# SPDX-License-Identifier: Apache-2.0
"""Where packages keep their files, as ROS 2's ament_index_python answers it.

A package is looked up in AMENT_PREFIX_PATH, then beside its importable Python package (a source
checkout holding a package.xml of that name), then in `sys.prefix`.
"""

from __future__ import annotations

from .packages import (
    PackageNotFoundError,
    get_package_prefix,
    get_package_share_directory,
    get_package_share_path,
    get_packages_with_prefixes,
)
from .resources import (
    get_resource,
    get_resource_types,
    get_resources,
    has_resource,
)
from .search_paths import get_search_paths

__all__ = [
    'PackageNotFoundError',
    'get_package_prefix',
    'get_package_share_directory',
    'get_package_share_path',
    'get_packages_with_prefixes',
    'get_resource',
    'get_resource_types',
    'get_resources',
    'get_search_paths',
    'has_resource',
]
