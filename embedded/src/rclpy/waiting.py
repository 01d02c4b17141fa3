# SPDX-License-Identifier: Apache-2.0
"""Waiting, outside an executor, until a reader and a writer are connected."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

from cyclonedds.core import DDSException, DDSStatus
from embedded_ros import dds

from . import signals


def wait_until_matched(
    context: Any,
    reader: dds.Reader | None,
    writer: dds.Writer | None,
    is_ready: Callable[[], bool],
    timeout_sec: float | None,
) -> bool:
    """Waits for matches until is_ready(); False after the timeout or at shutdown."""
    participant = context.graph.participant
    waitset, guard = dds.WaitSet(participant), dds.guard(participant)
    pairs = [(reader, DDSStatus.SubscriptionMatched), (writer, DDSStatus.PublicationMatched)]
    masks = []

    def wake() -> None:
        with contextlib.suppress(DDSException):  # when it is deleted, the wait is over
            guard.set(True)

    context.on_shutdown(wake)
    signals.add_waker(id(guard), wake)
    try:
        waitset.attach(guard, 1)
        for endpoint, status in pairs:
            if endpoint is not None:
                masks.append((endpoint.entity, endpoint.entity.get_status_mask()))
                endpoint.entity.set_status_mask(masks[-1][1] | status)
                waitset.attach(endpoint.entity, 2)
        endless = timeout_sec is None or timeout_sec < 0
        end_ns = time.monotonic_ns() + int(0 if endless else (timeout_sec or 0) * 1e9)
        while context.ok() and not is_ready():
            left_ns = dds.INFINITE_NS if endless else end_ns - time.monotonic_ns()
            if left_ns <= 0:
                return False
            waitset.wait(left_ns)
            guard.take()
            for endpoint, status in pairs:
                if endpoint is not None:
                    endpoint.entity.take_status(status)
        return bool(context.ok())
    except DDSException:
        if context.ok():
            raise
        return False
    finally:
        signals.remove_waker(id(guard))
        context.remove_shutdown_callback(wake)
        if context.ok():
            for entity, mask in masks:
                entity.set_status_mask(mask)
            waitset.close()
            dds.discard(guard)
