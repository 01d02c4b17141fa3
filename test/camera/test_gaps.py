# SPDX-License-Identifier: Apache-2.0
"""Missed pictures are counted, whatever the device tells."""

from __future__ import annotations

import pytest

from g1_il.camera.gaps import Gaps

PERIOD_NS = 33_333_333


@pytest.mark.parametrize('numbered', [True, False])
def test_missed_pictures_are_counted(numbered: bool) -> None:
    gaps = Gaps()
    lost = {50, 70, 71, 72, 99}
    for number in range(120):
        if number not in lost:
            jitter_ns = (number * 7919 % 5 - 2) * 1_000_000
            gaps.add(number if numbered else -1, 10**18 + number * PERIOD_NS + jitter_ns)
    assert (gaps.pictures, gaps.missed, gaps.longest) == (115, 5, 3)


def test_a_new_start_is_no_gap() -> None:
    gaps = Gaps()
    gaps.add(100, 0)
    gaps.restart()
    assert gaps.add(3, 10**12) == 0
    assert gaps.add(5, 10**12 + 2) == 1
