# SPDX-License-Identifier: Apache-2.0
"""The tasks of the simulator, by name."""

from __future__ import annotations

from g1_il.errors import ConfigError
from g1_il.sim.task import Task
from g1_il.sim.tasks.pick_place import PickPlace

TASKS: dict[str, type[PickPlace]] = {'pick_place': PickPlace}


def make_task(name: str) -> Task:
    """A new task.

    Raises:
        ConfigError: There is no task of that name.
    """
    if name not in TASKS:
        raise ConfigError(f'task {name!r} is not known; choose one of: {", ".join(TASKS)}')
    return TASKS[name]()
