# SPDX-License-Identifier: Apache-2.0
"""A progress bar for rollouts, that also counts how many went well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


@contextmanager
def progress_bar(
    console: Console, title: str, total: int, *, all_count: bool = False
) -> Iterator[Callable[[bool], None]]:
    """Shows a bar; yields a function to call after each rollout with whether it went well.

    Args:
        console: Where to.
        title: What is going on.
        total: Rollouts at the end of the bar.
        all_count: Whether those that failed move the bar, too.
    """
    columns = (
        TextColumn('{task.description}'),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn('{task.fields[failed]} failed'),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    failed = 0
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task(title, total=total, failed=0)

        def advance(well: bool) -> None:
            nonlocal failed
            failed += not well
            progress.update(bar, advance=1 if well or all_count else 0, failed=failed)

        try:
            yield advance
        except BaseException:
            # No bar, and no line for one in a log: what is said next is why it ended.
            progress.live.transient = True
            progress.console.quiet = not progress.console.is_terminal
            raise
