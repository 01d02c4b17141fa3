# SPDX-License-Identifier: Apache-2.0
"""rclpy's QoS profiles as Cyclone's policies, and back."""

from __future__ import annotations

from typing import Any

from cyclonedds.qos import Policy, Qos
from rclpy.duration import Duration, Infinite
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    LivelinessPolicy,
    QoSProfile,
    ReliabilityPolicy,
)

_INFINITE_NS = Infinite.nanoseconds


def to_dds(profile: QoSProfile, user_data: str, *, is_writer: bool) -> Qos:
    """The policies of an endpoint as rmw_cyclonedds sets them.

    Args:
        profile: What the user asked for; 'best available' is resolved before.
        user_data: What the endpoint says about itself, e.g. its type hash.
        is_writer: Whether it is a writer; some policies are of writers only.
    """
    history = (
        Policy.History.KeepAll
        if profile.history == HistoryPolicy.KEEP_ALL
        else Policy.History.KeepLast(max(1, profile.depth))
    )
    best_effort = profile.reliability == ReliabilityPolicy.BEST_EFFORT
    latched = profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
    lease = profile.liveliness_lease_duration.nanoseconds or _INFINITE_NS
    manual = profile.liveliness == LivelinessPolicy.MANUAL_BY_TOPIC
    policies = [
        history,
        Policy.Reliability.BestEffort
        if best_effort
        else Policy.Reliability.Reliable(max_blocking_time=_INFINITE_NS),
        Policy.Durability.TransientLocal if latched else Policy.Durability.Volatile,
        Policy.Deadline(profile.deadline.nanoseconds or _INFINITE_NS),
        Policy.Liveliness.ManualByTopic(lease) if manual else Policy.Liveliness.Automatic(lease),
        Policy.DataRepresentation(use_cdrv0_representation=True, use_xcdrv2_representation=False),
        Policy.Userdata(user_data.encode()),
        Policy.IgnoreLocal.Nothing,
    ]
    if is_writer:
        policies += [
            Policy.WriterDataLifecycle(autodispose=False),
            Policy.Lifespan(profile.lifespan.nanoseconds or _INFINITE_NS),
        ]
        if latched:
            policies.append(Policy.DurabilityService(0, history, -1, -1, -1))
    return Qos(*policies)


def from_dds(qos: Qos) -> QoSProfile:
    """The profile of an endpoint that was discovered."""
    found: dict[str, Any] = {policy.__scope__: policy for policy in qos}
    history = found.get('History')
    depth = getattr(history, 'depth', 0)
    lifespan = getattr(found.get('Lifespan'), 'lifespan', _INFINITE_NS)
    liveliness = found['Liveliness']
    manual = type(liveliness) is Policy.Liveliness.ManualByTopic
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST if depth else HistoryPolicy.KEEP_ALL,
        depth=depth,
        reliability=ReliabilityPolicy.BEST_EFFORT
        if found['Reliability'] == Policy.Reliability.BestEffort
        else ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.VOLATILE
        if found['Durability'] == Policy.Durability.Volatile
        else DurabilityPolicy.TRANSIENT_LOCAL,
        deadline=Duration(nanoseconds=found['Deadline'].deadline),
        lifespan=Duration(nanoseconds=lifespan),
        liveliness=LivelinessPolicy.MANUAL_BY_TOPIC if manual else LivelinessPolicy.AUTOMATIC,
        liveliness_lease_duration=Duration(nanoseconds=liveliness.lease_duration),
    )


def user_data(qos: Qos) -> dict[str, str]:
    """What an endpoint says about itself: 'typehash', 'serviceid', ..."""
    for policy in qos:
        if isinstance(policy, Policy.Userdata):
            text = policy.data.decode('utf-8', 'replace')
            return dict(part.split('=', 1) for part in text.split(';') if '=' in part)
    return {}
