# SPDX-License-Identifier: Apache-2.0
"""The four QoS profiles of the graph; no node writes a bare depth.

SENSOR   measurements: the newest counts, a lost one is not sent again.
COMMAND  wanted commands: as SENSOR with depth 1, so that a stale one is never acted upon.
STATUS   what something is doing: a late joiner gets the last one.
EVENT    what must arrive: requests, executed commands, diagnostics.
"""

from __future__ import annotations

from rclpy.qos import QoSDurabilityPolicy, QoSHistoryPolicy, QoSProfile, QoSReliabilityPolicy

SENSOR = QoSProfile(
    history=QoSHistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=QoSReliabilityPolicy.BEST_EFFORT,
    durability=QoSDurabilityPolicy.VOLATILE,
)
COMMAND = QoSProfile(
    history=QoSHistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=QoSReliabilityPolicy.BEST_EFFORT,
    durability=QoSDurabilityPolicy.VOLATILE,
)
STATUS = QoSProfile(
    history=QoSHistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=QoSReliabilityPolicy.RELIABLE,
    durability=QoSDurabilityPolicy.TRANSIENT_LOCAL,
)
EVENT = QoSProfile(
    history=QoSHistoryPolicy.KEEP_LAST,
    depth=500,
    reliability=QoSReliabilityPolicy.RELIABLE,
    durability=QoSDurabilityPolicy.VOLATILE,
)
