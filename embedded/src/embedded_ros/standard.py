# SPDX-License-Identifier: Apache-2.0
"""Standard interfaces that the rosbags store does not hold: services, field defaults."""

from __future__ import annotations

from typing import Any

# Packages whose messages are in the store of ROS 2 Jazzy, and those with services below.
PACKAGES = frozenset(
    {
        'action_msgs',
        'actionlib_msgs',
        'builtin_interfaces',
        'diagnostic_msgs',
        'geometry_msgs',
        'lifecycle_msgs',
        'nav_msgs',
        'rcl_interfaces',
        'rmw_dds_common',
        'rosbag2_interfaces',
        'rosgraph_msgs',
        'sensor_msgs',
        'service_msgs',
        'shape_msgs',
        'statistics_msgs',
        'std_msgs',
        'std_srvs',
        'stereo_msgs',
        'tf2_msgs',
        'trajectory_msgs',
        'type_description_interfaces',
        'unique_identifier_msgs',
        'visualization_msgs',
    }
)

# The store drops field defaults; of the standard messages only the quaternion has one.
DEFAULTS: dict[str, dict[str, Any]] = {'geometry_msgs/msg/Quaternion': {'w': 1.0}}

MESSAGES: dict[str, str] = {}

SERVICES: dict[str, str] = {
    'std_srvs/srv/Empty': '---\n',
    'std_srvs/srv/SetBool': 'bool data\n---\nbool success\nstring message\n',
    'std_srvs/srv/Trigger': '---\nbool success\nstring message\n',
    'rcl_interfaces/srv/DescribeParameters': """string[] names
---
ParameterDescriptor[] descriptors
""",
    'rcl_interfaces/srv/GetParameters': 'string[] names\n---\nParameterValue[] values\n',
    'rcl_interfaces/srv/GetParameterTypes': 'string[] names\n---\nuint8[] types\n',
    'rcl_interfaces/srv/ListParameters': """uint64 DEPTH_RECURSIVE=0
string[] prefixes
uint64 depth
---
ListParametersResult result
""",
    'rcl_interfaces/srv/SetParameters': """Parameter[] parameters
---
SetParametersResult[] results
""",
    'rcl_interfaces/srv/SetParametersAtomically': """Parameter[] parameters
---
SetParametersResult result
""",
    'sensor_msgs/srv/SetCameraInfo': """sensor_msgs/CameraInfo camera_info
---
bool success
string status_message
""",
}
