# SPDX-License-Identifier: Apache-2.0
"""The ament resource index: files under `<prefix>/share/ament_index/resource_index/<type>/`."""

from __future__ import annotations

import os

from .search_paths import get_search_paths

_INDEX = os.path.join('share', 'ament_index', 'resource_index')


def has_resource(resource_type: str, resource_name: str) -> str | bool:
    """The first prefix with this resource, or False."""
    for prefix in get_search_paths():
        if os.path.isfile(os.path.join(prefix, _INDEX, resource_type, resource_name)):
            return prefix
    return False


def get_resource(resource_type: str, resource_name: str) -> tuple[str, str]:
    """Content of a resource and the prefix that holds it.

    Raises:
        LookupError: No prefix has it.
    """
    prefix = has_resource(resource_type, resource_name)
    if not prefix:
        raise LookupError(
            f"Could not find the resource '{resource_name}' of type '{resource_type}'"
        )
    path = os.path.join(str(prefix), _INDEX, resource_type, resource_name)
    with open(path, encoding='utf-8') as file:
        return file.read(), str(prefix)


def get_resources(resource_type: str) -> dict[str, str]:
    """Names of all resources of a type, each with the first prefix that has it."""
    found: dict[str, str] = {}
    for prefix in get_search_paths():
        folder = os.path.join(prefix, _INDEX, resource_type)
        if os.path.isdir(folder):
            for name in os.listdir(folder):
                if not name.startswith('.'):
                    found.setdefault(name, prefix)
    return found


def get_resource_types() -> set[str]:
    """All types of resources that any prefix has."""
    folders = [os.path.join(prefix, _INDEX) for prefix in get_search_paths()]
    return {name for folder in folders if os.path.isdir(folder) for name in os.listdir(folder)}
