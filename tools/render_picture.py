#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the README's picture: the simulated G1 carrying the can to the bin."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2

from g1_il.retarget.retargeter import Retargeter
from g1_il.rollout.rig import Rig
from g1_il.rollout.teleop import teleoperate
from g1_il.sim.renderer import FINE

ROOT = Path(__file__).resolve().parent.parent


class Picture:
    """A recorder that draws one view when the can has been carried for a while."""

    def __init__(self, rig: Rig, path: Path, delay: int) -> None:
        self._rig, self._path, self._delay = rig, path, delay

    def scene(self, scene, now_ns: int) -> None:
        if scene.stage != 'carry' or self._delay < 0:
            return
        self._delay -= 1
        if self._delay < 0:
            rgb = self._rig.simulator.render(1280, 800, 'overview', FINE)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(self._path), rgb[..., ::-1])

    def frame(self, *_: object) -> None: ...

    targets = state = executed = gate = image = frame


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=ROOT / 'doc/images/g1_pick_place.jpg')
    parser.add_argument('--seed', type=int, default=3)
    options = parser.parse_args()
    rig = Rig(task='pick_place')
    picture = Picture(rig, options.out, delay=12)
    teleoperate(rig, Retargeter(), seed=options.seed, recorder=lambda _: picture)
    rig.simulator.close()


if __name__ == '__main__':
    main()
