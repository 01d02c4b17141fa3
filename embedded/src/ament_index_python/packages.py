# SPDX-License-Identifier: Apache-2.0
"""Packages: their prefixes and share folders."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import re
import sys
from pathlib import Path

from .resources import get_resources
from .search_paths import get_search_paths


class PackageNotFoundError(KeyError):
    """No prefix holds the package."""

    def __str__(self) -> str:
        """The sentence without KeyError's quotes."""
        return str(self.args[0]) if self.args else ''


def get_packages_with_prefixes() -> dict[str, str]:
    """All packages that are found, each with its prefix (a source checkout is its own prefix)."""
    found = get_resources('packages')
    for prefix in get_search_paths():
        for manifest in Path(prefix, 'share').glob('*/package.xml'):
            found.setdefault(manifest.parent.name, prefix)
    for entry in sys.path:
        name = _manifest_name(Path(entry or '.'))
        if name:
            found.setdefault(name, os.path.abspath(entry or '.'))
    return found


def get_package_prefix(package_name: str) -> str:
    """The prefix a package is installed under; the root itself for a source checkout.

    Raises:
        PackageNotFoundError: No prefix holds it.
        ValueError: The name is no package name.
    """
    return _locate(package_name)[0]


def get_package_share_directory(package_name: str, print_warning: bool = True) -> str:
    """Folder of the package's launch, config, msg and srv files.

    Raises:
        PackageNotFoundError: No prefix holds it.
        ValueError: The name is no package name.
    """
    return _locate(package_name)[1]


def get_package_share_path(package_name: str, print_warning: bool = True) -> Path:
    """The share folder as a `pathlib.Path`."""
    return Path(get_package_share_directory(package_name))


def _locate(package: str) -> tuple[str, str]:
    if not re.fullmatch(r'[A-Za-z][A-Za-z0-9_]*', package):
        raise ValueError(f"'{package}' is not a valid package name")
    prefixes = get_search_paths()
    for prefix in prefixes:
        share = os.path.join(prefix, 'share', package)
        marker = os.path.join(prefix, 'share/ament_index/resource_index/packages', package)
        if prefix != sys.prefix and (os.path.isdir(share) or os.path.isfile(marker)):
            return prefix, share
    if root := _source_root(package):
        return str(root), str(root)
    share = os.path.join(sys.prefix, 'share', package)
    if os.path.isfile(os.path.join(share, 'package.xml')):
        return sys.prefix, share
    raise PackageNotFoundError(
        f"package '{package}' not found, searching: {[*prefixes, 'importable source checkouts']}"
    )


def _source_root(package: str) -> Path | None:
    spec = sys.modules.get(package)
    locations = list(getattr(spec, '__path__', []))
    if not locations:
        found: importlib.machinery.ModuleSpec | None
        try:
            found = importlib.util.find_spec(package)
        except (ImportError, ValueError):
            found = None
        locations = list(found.submodule_search_locations or []) if found else []
    for location in locations:
        root = Path(location).resolve().parent
        if _manifest_name(root) == package:
            return root
    return None


def _manifest_name(folder: Path) -> str:
    try:
        text = (folder / 'package.xml').read_text(encoding='utf-8')
    except OSError:
        return ''
    match = re.search(r'<name>\s*([\w-]+)\s*</name>', text)
    return match[1] if match else ''
