# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: F401
"""Bags: MCAP files with a metadata.yaml, as ROS 2's rosbag2 writes and reads them.

Humble's and Jazzy's signatures are both taken.
"""

from embedded_ros.gap import names_gaps

from .metadata import Info, MetadataIo
from .options import (
    BagMetadata,
    ConverterOptions,
    FileInformation,
    StorageFilter,
    StorageOptions,
    TopicInformation,
    TopicMetadata,
)
from .reader import SequentialReader
from .writer import SequentialWriter

__getattr__ = names_gaps(__name__)


def get_default_storage_id() -> str:
    """Storage of a bag that names none."""
    return 'mcap'


def get_registered_writers() -> set[str]:
    """Storages that can be written."""
    return {'mcap'}


def get_registered_readers() -> set[str]:
    """Storages that can be read."""
    return {'mcap', 'sqlite3'}
