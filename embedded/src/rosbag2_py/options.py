# SPDX-License-Identifier: Apache-2.0
"""What a bag is opened with, and what is known of it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

import yaml


@dataclass
class StorageOptions:
    """Where a bag is, and how it is written.

    `storage_preset_profile`: fastwrite (no chunks, no checksums: least work, and a killed process
    loses nothing written), zstd_fast, zstd_small, or none (chunks without compression).
    `max_cache_size` is taken and not used: every message goes to the file at once.
    """

    uri: str
    storage_id: str = ''
    max_bagfile_size: int = 0
    max_bagfile_duration: int = 0
    max_cache_size: int = 0
    storage_preset_profile: str = ''
    storage_config_uri: str = ''
    snapshot_mode: bool = False
    start_time_ns: int = -1
    end_time_ns: int = -1
    custom_data: dict[str, str] = field(default_factory=dict)


@dataclass
class ConverterOptions:
    """Serialization formats; CDR is the only one."""

    input_serialization_format: str = ''
    output_serialization_format: str = ''


@dataclass
class StorageFilter:
    """Topics to read: listed or matching `regex`, and not excluded."""

    topics: list[str] = field(default_factory=list)
    regex: str = ''
    exclude_topics: list[str] = field(default_factory=list)
    regex_to_exclude: str = ''


@dataclass(init=False)
class TopicMetadata:
    """A topic of a bag. Jazzy's leading `id` may be left out, as in Humble.

    `offered_qos_profiles` is a list of rclpy profiles (Jazzy), or YAML text (Humble).
    """

    id: int
    name: str
    type: str
    serialization_format: str
    offered_qos_profiles: Any
    type_description_hash: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        defaults = {
            'id': 0, 'name': '', 'type': '', 'serialization_format': 'cdr',
            'offered_qos_profiles': [], 'type_description_hash': '',
        }  # fmt: skip
        names = list(defaults)[0 if args and isinstance(args[0], int) else 1 :]
        unknown = set(kwargs) - set(defaults)
        if unknown or len(args) > len(names):
            raise TypeError(f'TopicMetadata takes {", ".join(defaults)}; got {sorted(unknown)}')
        given = {**defaults, **dict(zip(names, args, strict=False)), **kwargs}
        for name, value in given.items():
            setattr(self, name, value)

    def equals(self, other: TopicMetadata) -> bool:
        """Returns whether all but the id is the same."""
        return (self.name, self.type, self.serialization_format) == (
            other.name, other.type, other.serialization_format,
        )  # fmt: skip


@dataclass
class TopicInformation:
    """A topic and how many messages the bag holds of it."""

    topic_metadata: TopicMetadata
    message_count: int


@dataclass
class FileInformation:
    """One file of a bag."""

    path: str
    starting_time: Any
    duration: Any
    message_count: int


@dataclass
class BagMetadata:
    """What metadata.yaml says; times are rclpy's Time and Duration, as in Jazzy."""

    version: int = 9
    bag_size: int = 0
    storage_identifier: str = 'mcap'
    relative_file_paths: list[str] = field(default_factory=list)
    files: list[FileInformation] = field(default_factory=list)
    duration: Any = field(default_factory=datetime.timedelta)
    starting_time: Any = None
    message_count: int = 0
    topics_with_message_count: list[TopicInformation] = field(default_factory=list)
    compression_format: str = ''
    compression_mode: str = ''
    custom_data: dict[str, str] = field(default_factory=dict)
    ros_distro: str = ''


def qos_to_dicts(profiles: Any) -> list[dict[str, Any]]:
    """Returns QoS profiles (rclpy's, or YAML text) in the form of metadata version 9."""
    if isinstance(profiles, str):
        return yaml.safe_load(profiles) or []
    return [
        profile if isinstance(profile, dict) else _qos_to_dict(profile) for profile in profiles
    ]


def _qos_to_dict(profile: Any) -> dict[str, Any]:
    def duration(value: Any) -> dict[str, int]:
        sec, nsec = divmod(value.nanoseconds, 10**9)
        return {'sec': sec, 'nsec': nsec}

    return {
        'history': profile.history.name.lower(),
        'depth': profile.depth,
        'reliability': profile.reliability.name.lower(),
        'durability': profile.durability.name.lower(),
        'deadline': duration(profile.deadline),
        'lifespan': duration(profile.lifespan),
        'liveliness': profile.liveliness.name.lower(),
        'liveliness_lease_duration': duration(profile.liveliness_lease_duration),
        'avoid_ros_namespace_conventions': profile.avoid_ros_namespace_conventions,
    }
