# SPDX-License-Identifier: Apache-2.0
"""What joint messages say, as nouns, and how their joints are put in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from g1_il.errors import G1Error

Array = npt.NDArray[np.float64]


class MessageError(G1Error):
    """A message that does not say what its topic promises (wrong joints, wrong lengths)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JointSample:
    """What a JointState says of the robot's joints.

    Attributes:
        stamp_ns: Capture time [ns].
        position: [rad], shape (43,), ALL_JOINTS order; NaN for joints that were not named.
        velocity: [rad/s], shape (43,); NaN where it was not said.
        effort: [Nm], shape (43,); NaN where it was not said.
    """

    stamp_ns: int
    position: Array
    velocity: Array
    effort: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutedCommand:
    """What an executed_command says was really sent.

    Attributes:
        stamp_ns: Time of sending [ns].
        source: Who asked: teleop, policy, replay, or gate.
        position: [rad], shape (28,), COMMAND_JOINTS order.
        velocity: [rad/s], shape (28,).
        effort: [Nm], shape (28,).
        weight: arm_sdk weight in force, 0..1.
    """

    stamp_ns: int
    source: str
    position: Array
    velocity: Array
    effort: Array
    weight: float


def joint_order(
    names: Sequence[str], wanted: list[str], what: str, *, exact: bool
) -> npt.NDArray[np.intp] | None:
    """Where a message has each joint that is wanted.

    Args:
        names: Joints as the message names them.
        wanted: Joints in the order wanted.
        what: What the message is, for the error.
        exact: It must name all that are wanted and no others.

    Returns:
        Index into the message of every wanted joint, -1 where absent; None when the order is
        the wanted one already.

    Raises:
        MessageError: A joint is named twice, or the names are not exactly those wanted.
    """
    names = list(names)
    if names == wanted:
        return None
    place = {name: k for k, name in enumerate(names)}
    if len(place) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise MessageError(f'{what} names {", ".join(twice)} more than once')
    if exact:
        missing = [name for name in wanted if name not in place]
        unknown = [name for name in names if name not in wanted]
        if missing or unknown:
            raise MessageError(
                f'{what} must name the {len(wanted)} joints of COMMAND_JOINTS; '
                f'missing: {", ".join(missing) or "none"}; unknown: {", ".join(unknown) or "none"}'
            )
    return np.array([place.get(name, -1) for name in wanted], dtype=np.intp)


def in_order(
    values: Any,
    names: Sequence[str],
    order: npt.NDArray[np.intp] | None,
    field: str,
    missing: float | None = None,
) -> Array:
    """A message's numbers in the order wanted.

    Args:
        values: What the field holds.
        names: Joints as the message names them.
        order: What joint_order said of them.
        field: Name of the field, for the error.
        missing: Stands for an empty field and for joints not named; None where both are errors.

    Returns:
        A copy, as long as the joints wanted.

    Raises:
        MessageError: There are not as many values as names.
    """
    numbers = np.array(values, dtype=np.float64)
    if missing is not None and numbers.size == 0:
        return np.full(len(names) if order is None else len(order), missing)
    if numbers.size != len(names):
        raise MessageError(f'{field} has {numbers.size} values for {len(names)} joint names')
    if order is None:
        return numbers
    picked = numbers[order]
    if missing is not None:
        picked[order < 0] = missing
    return picked
