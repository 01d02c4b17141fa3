# SPDX-License-Identifier: Apache-2.0
"""What commands write: refused before the work begins, replaced only when it is done.

`--overwrite` replaces what this package has made and nothing else. A folder counts as made by it
only if every single file in it is of a kind that belongs there: one note beside the episodes, and
the folder is left alone.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from g1_il.errors import ConfigError

MARK = '.made_by_g1_il'


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderKind:
    """What a folder that a command makes may hold.

    Attributes:
        name: In words, e.g. 'a dataset'.
        files: Its files, as patterns of their paths below it; a star stays within a name.
        required: Those of the patterns without which it is not one.
        each: Name of a file that every folder with files must have; empty: none.
        leftovers: What else an interrupted command may have left in its unfinished folder.
    """

    name: str
    files: tuple[str, ...]
    required: tuple[str, ...] = ()
    each: str = ''
    leftovers: tuple[str, ...] = ()


def check_file(path: Path | None, *, option: str, overwrite: bool) -> None:
    """Refuses a file that cannot or may not be written; None is no file.

    Args:
        path: The file.
        option: How the user named it, e.g. '--report'.
        overwrite: Whether an existing one may be replaced.

    Raises:
        ConfigError: It is a folder, is there already, or its folder cannot be written.
    """
    if path is None:
        return
    if path.is_dir():
        raise ConfigError(f'{option} {path} is a folder; name a file')
    if path.exists() and not overwrite:
        raise ConfigError(f'{option} {path} exists; name another file or say --overwrite')
    check_place(path, option=option)


def check_folder(out: Path, kind: FolderKind, *, option: str, overwrite: bool) -> None:
    """Refuses a folder that cannot be made or may not be replaced.

    Args:
        out: The folder.
        kind: What it may hold to be replaced.
        option: How the user named it, e.g. '--out'.
        overwrite: Whether one of this kind may be replaced.

    Raises:
        ConfigError: It is not a folder, not empty, holds what is not of this kind, or cannot be
            written.
    """
    if out.exists() and not out.is_dir():
        raise ConfigError(f'{option} {out} is a file; name a folder')
    if _files(out):
        if not overwrite:
            raise ConfigError(
                f'{option} {out} exists and is not empty; name another folder, or say '
                f'--overwrite to replace {kind.name} in it'
            )
        if foreign := _foreign(out, kind):
            raise ConfigError(
                f'{option} {out} is not overwritten: {foreign}, so it is not taken for '
                f'{kind.name} of this program; name another folder'
            )
    check_place(out.resolve(), option=option)


@contextmanager
def new_folder(
    out: Path, kind: FolderKind, *, option: str = '--out', overwrite: bool = False
) -> Iterator[Path]:
    """A folder that appears whole or not at all, and until then beside the one it replaces.

    Args:
        out: Where it shall be.
        kind: What it will hold.
        option: How the user named it.
        overwrite: Whether one of this kind may be replaced, which happens at the end.

    Yields:
        An empty folder to write into; removed when the body fails.

    Raises:
        ConfigError: As check_folder does.
    """
    check_folder(out, kind, option=option, overwrite=overwrite)
    out = out.resolve()
    partial = out.with_name(f'.{out.name}.partial')
    unfinished = FolderKind(name=kind.name, files=kind.files + kind.leftovers)
    if partial.exists() and (foreign := _foreign(partial, unfinished)):
        raise ConfigError(
            f'{partial} is in the way and is not removed: {foreign}; move it, or name another '
            'folder'
        )
    try:
        if partial.exists():
            shutil.rmtree(partial)
        partial.mkdir(parents=True)
    except OSError as error:
        raise ConfigError(f'{option} {out} cannot be made: {error.strerror}') from error
    try:
        yield partial
        if out.exists():
            shutil.rmtree(out)
        partial.rename(out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


@contextmanager
def emptied_folder(
    out: Path, kind: FolderKind, *, option: str = '--out', overwrite: bool = False
) -> Iterator[None]:
    """An empty folder to write into at its place; what it held comes back if nothing is made.

    Args:
        out: The folder.
        kind: What it may hold.
        option: How the user named it.
        overwrite: Whether what it holds may be replaced.

    Raises:
        ConfigError: As check_folder does.
    """
    check_folder(out, kind, option=option, overwrite=overwrite)
    out = out.resolve()
    before = out.with_name(f'.{out.name}.replaced')
    if not _files(out):
        yield
        return
    try:
        out.rename(before)
    except OSError as error:
        raise ConfigError(
            f'{option} {out} cannot be set aside as {before}: {error.strerror}; name another '
            'folder'
        ) from error
    try:
        yield
    finally:
        if _files(out):
            shutil.rmtree(before)
        else:
            shutil.rmtree(out, ignore_errors=True)
            before.rename(out)


def make_room(
    out: Path, made: Collection[str], *, option: str = '--out', overwrite: bool = False
) -> None:
    """Makes an empty folder for a run of several commands, which marks it as its own.

    Args:
        out: The folder.
        made: All that such a run leaves in it.
        option: How the user named it.
        overwrite: Whether what an earlier run made is removed first.

    Raises:
        ConfigError: It cannot be written, or may not be replaced.
    """
    check_place(out.resolve(), option=option)
    if out.exists() and not out.is_dir():
        raise ConfigError(f'{option} {out} is a file; name a folder')
    held = {entry.name for entry in out.iterdir()} if out.exists() else set()
    if held and not overwrite:
        raise ConfigError(f'{option} {out} is not empty; name another folder, or say --overwrite')
    if held and (MARK not in held or held - {MARK, *made}):
        strange = min(held - {MARK, *made}, default='')
        raise ConfigError(
            f'{option} {out} is not overwritten: it holds {strange or f"no {MARK}"}, so it was '
            'not made by such a run; name another folder'
        )
    if held:
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / MARK).touch()


def check_place(path: Path, *, option: str) -> None:
    """Refuses a path below something that is no folder, or where nothing can be written.

    Args:
        path: File or folder to be made.
        option: How the user named it.

    Raises:
        ConfigError: It cannot be made.
    """
    parent = path.absolute().parent
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir():
        raise ConfigError(f'{option} {path}: {parent} is no folder; name another place')
    # The kernel's own folders say that root may write.
    if not os.access(parent, os.W_OK | os.X_OK) or parent.is_relative_to('/proc'):
        raise ConfigError(f'{option} {path}: {parent} cannot be written; name another place')


def _files(folder: Path) -> list[Path]:
    """Every file and link below a folder, relative to it."""
    found = []
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        found += [Path(place, name).relative_to(folder) for name in (*links, *files)]
    return found


def _foreign(folder: Path, kind: FolderKind) -> str:
    """Why a folder is not of a kind; empty when it is."""
    files = _files(folder)
    for file in files:
        if (folder / file).is_symlink() or not any(_matches(file, item) for item in kind.files):
            return f'it holds {file}'
    for pattern in kind.required:
        if not any(_matches(file, pattern) for file in files):
            return f'it has no {pattern}'
    for place in {file.parent for file in files} if kind.each else ():
        if not (folder / place / kind.each).is_file():
            return f'{place} has no {kind.each}'
    return ''


def _matches(file: Path, pattern: str) -> bool:
    wanted = pattern.split('/')
    return len(wanted) == len(file.parts) and all(map(fnmatchcase, file.parts, wanted))
