# SPDX-License-Identifier: Apache-2.0
"""What every camera offers: start, read, stop."""

from __future__ import annotations

from typing import Protocol

from g1_il.camera.capture import Capture
from g1_il.errors import G1Error


class CameraError(G1Error):
    """The camera is absent, was unplugged or gives no pictures; worth trying again later.

    What only the user can mend (a wrong path, a missing package) is a ConfigError instead.
    """


class CameraEndedError(CameraError):
    """A recording that was played once has come to its end."""


class Camera(Protocol):
    """A source of colour pictures. One thread at a time uses it."""

    def start(self) -> None:
        """Open the device and start streaming.

        Raises:
            CameraError: When the device is not there.
            ConfigError: When the configuration can never work.
        """

    def read(self, timeout_s: float) -> Capture:
        """Wait for the next picture; older ones that were not read are dropped.

        Raises:
            CameraError: When none came within the timeout [s].
        """

    def stop(self) -> None:
        """Close the device. Harmless when it is not open."""
