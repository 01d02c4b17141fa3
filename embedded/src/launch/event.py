# SPDX-License-Identifier: Apache-2.0
"""Base of events."""


class Event:
    """Something that happened, to be matched by event handlers."""

    name = 'launch.Event'
