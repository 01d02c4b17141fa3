# SPDX-License-Identifier: Apache-2.0
"""From a bag's topics to the streams that rows and reports are made of."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from g1_il.episodes.streams import EpisodeStreams, Samples, TopicTimes
from g1_il.errors import G1Error
from g1_il.ros import cdr
from g1_il.ros.bag import BagTopic
from g1_il.rows.streams import EXECUTED_COMMAND, JOINT_STATES, SCENE, scene_vector

IMAGE_TOPIC_END = '/color/image_raw/compressed'
_JOINT_STATE = 'sensor_msgs/msg/JointState'
_COMMAND = 'g1_il/msg/JointCommand'
_SCENE = 'g1_il/msg/SceneState'
_IMAGE = 'sensor_msgs/msg/CompressedImage'


def stream_name(topic: str, type_name: str) -> str | None:
    """The row stream that a topic is, e.g. head_camera for its images; None for others."""
    last = topic.rpartition('/')[2]
    if type_name == _JOINT_STATE and last == 'joint_states':
        return JOINT_STATES
    if type_name == _COMMAND and last == 'executed_command':
        return EXECUTED_COMMAND
    if type_name == _SCENE:
        return SCENE
    if type_name == _IMAGE and topic.endswith(IMAGE_TOPIC_END):
        return topic[: -len(IMAGE_TOPIC_END)].rpartition('/')[2]
    return None


def stream_value(stream: str, data: bytes, objects: tuple[str, ...] = ()) -> Any:
    """What FrameAssembler takes of a serialized message.

    Args:
        stream: The stream that stream_name gives.
        data: The message.
        objects: For the scene: the objects whose poses to take, in order; all when empty.

    Returns:
        Joint positions (43,) or commanded positions (28,) [rad], a flattened scene, or JPEG bytes.

    Raises:
        G1Error: The message cannot be read, or says something else than its topic promises.
    """
    if stream == JOINT_STATES:
        return cdr.decode_joint_state(data).position
    if stream == EXECUTED_COMMAND:
        return cdr.decode_command(data).position
    if stream == SCENE:
        scene = cdr.decode_scene(data)
        return scene_vector(scene.names, scene.poses, objects or scene.names)
    return cdr.decode_compressed(data)[1]


def streams_of(bag: Mapping[str, BagTopic]) -> dict[str, BagTopic]:
    """The topics that are streams, by stream name."""
    found = {}
    for topic in bag.values():
        stream = stream_name(topic.name, topic.type)
        if stream is not None:
            found[stream] = topic
    return found


def camera_topics(bag: Mapping[str, BagTopic]) -> dict[str, BagTopic]:
    """The topics that are a camera's pictures, by the camera's name."""
    found = streams_of(bag)
    return {name: topic for name, topic in found.items() if topic.name.endswith(IMAGE_TOPIC_END)}


def samples(
    bag: Mapping[str, BagTopic], streams: Iterable[str], objects: tuple[str, ...] = ()
) -> Iterator[tuple[str, int, Any]]:
    """The samples of some streams in the order of receipt: what a live assembler is pushed.

    Args:
        bag: An episode.
        streams: Names of the streams wanted.
        objects: For the scene: the objects whose poses to take, in order; all when empty.

    Yields:
        Stream, capture time [ns], value.
    """
    found = streams_of(bag)
    wanted = [name for name in streams if name in found]
    queues = (
        [(int(ns), order, k) for k, ns in enumerate(found[name].receive_ns)]
        for order, name in enumerate(wanted)
    )
    for _, order, k in heapq.merge(*queues):
        topic = found[wanted[order]]
        yield (
            wanted[order],
            int(topic.stamp_ns[k]),
            stream_value(wanted[order], topic.data[k], objects),
        )


def episode_streams(bag: Mapping[str, BagTopic]) -> EpisodeStreams:
    """An episode as arrays, for its report. Messages that cannot be read are counted."""
    found = streams_of(bag)
    unreadable: dict[str, tuple[int, str]] = {}
    values: dict[str, Samples | None] = {}
    for name, width in ((JOINT_STATES, 43), (EXECUTED_COMMAND, 28)):
        topic = found.get(name)
        values[name] = None if topic is None else _samples(name, topic, width, unreadable)
    cameras = {
        name: topic
        for name, topic in found.items()
        if name not in (JOINT_STATES, EXECUTED_COMMAND, SCENE)
    }
    scene = found.get(SCENE)
    return EpisodeStreams(
        topics={
            t.name: TopicTimes(type=t.type, stamp_ns=t.stamp_ns, receive_ns=t.receive_ns)
            for t in bag.values()
        },
        joints=values[JOINT_STATES],
        commands=values[EXECUTED_COMMAND],
        images={
            name: tuple(cdr.decode_compressed(item)[1] for item in topic.data)
            for name, topic in cameras.items()
        },
        image_stamps={name: topic.stamp_ns for name, topic in cameras.items()},
        scene_success=cdr.decode_scene(scene.data[-1]).success if scene else None,
        unreadable=unreadable,
    )


def _samples(
    name: str, topic: BagTopic, width: int, unreadable: dict[str, tuple[int, str]]
) -> Samples:
    rows, stamps, count, why = [], [], 0, ''
    for stamp_ns, item in zip(topic.stamp_ns, topic.data, strict=True):
        try:
            rows.append(stream_value(name, item))
        except G1Error as error:
            count, why = count + 1, why or str(error)
            continue
        stamps.append(stamp_ns)
    if count:
        unreadable[topic.name] = (count, why)
    return Samples(
        stamp_ns=np.array(stamps, dtype=np.int64),
        values=np.array(rows, dtype=np.float64).reshape(-1, width),
    )
