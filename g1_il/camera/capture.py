# SPDX-License-Identifier: Apache-2.0
"""One picture with its capture time, and the lens it was taken through."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from g1_il.errors import ConfigError

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intrinsics:
    """Pinhole model of a camera, in OpenCV's terms.

    Attributes:
        width: Picture width [px].
        height: Picture height [px].
        fx: Focal length along x [px]; 0 when the camera is not calibrated, as ROS says it.
        fy: Focal length along y [px]; 0 when not calibrated.
        cx: Principal point, x [px].
        cy: Principal point, y [px].
        distortion: Coefficients k1, k2, p1, p2, k3 of the plumb-bob model [1].
    """

    width: int
    height: int
    fx: float = 0.0
    fy: float = 0.0
    cx: float = 0.0
    cy: float = 0.0
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)

    @property
    def calibrated(self) -> bool:
        """True when the focal lengths are known."""
        return self.fx > 0.0 and self.fy > 0.0


def intrinsics_from_fovy(*, width: int, height: int, fovy_deg: float) -> Intrinsics:
    """The ideal pinhole of a rendered picture: square pixels, centred, no distortion.

    Args:
        width: Picture width [px].
        height: Picture height [px].
        fovy_deg: Vertical field of view [deg], as MuJoCo gives it.

    Raises:
        ConfigError: When the field of view is not between 0 and 180 degrees.
    """
    if not 0.0 < fovy_deg < 180.0:
        raise ConfigError(f'fovy is {fovy_deg} deg; it must lie between 0 and 180')
    focal = 0.5 * height / math.tan(math.radians(fovy_deg) / 2.0)
    return Intrinsics(
        width=width, height=height, fx=focal, fy=focal, cx=0.5 * width, cy=0.5 * height
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One picture as a camera gives it.

    Attributes:
        stamp_ns: Capture time on the host's clock (Unix) [ns].
        image: RGB, shape (height, width, 3), uint8, contiguous.
        intrinsics: The lens; uncalibrated where the driver does not know it.
        frame_number: The device's own count; a jump of more than one is a gap. -1 when unknown.
    """

    stamp_ns: int
    image: Image
    intrinsics: Intrinsics
    frame_number: int = -1
