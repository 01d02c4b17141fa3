# SPDX-License-Identifier: Apache-2.0
"""Which seeds are for data and which for judging what was learnt from it: never the same."""

from __future__ import annotations

from g1_il.errors import ConfigError

FIRST_EVALUATION_SEED = 900_000
"""Seeds below are for data, seeds from here on for evaluation."""


def check_data_seeds(first: int, count: int) -> None:
    """Refuses seeds that are kept for evaluation."""
    if first < 0 or first + count > FIRST_EVALUATION_SEED:
        raise ConfigError(
            f'seeds {first} to {first + count - 1} are not all for data; allowed: 0 to '
            f'{FIRST_EVALUATION_SEED - 1} (from there on they are for evaluation)'
        )


def check_evaluation_seeds(first: int) -> None:
    """Refuses seeds that data may have been collected with."""
    if first < FIRST_EVALUATION_SEED:
        raise ConfigError(
            f'seed {first} may have been used for data; evaluation starts at '
            f'{FIRST_EVALUATION_SEED} or above'
        )
