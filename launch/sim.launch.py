# SPDX-License-Identifier: Apache-2.0
"""The simulated G1 behind its bridge, to look at and to talk to.

ros2 launch g1_il sim.launch.py
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

LAUNCH = PathJoinSubstitution([FindPackageShare('g1_il'), 'launch'])


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'rviz', default_value='false', description='show robot and camera in rviz'
            ),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource([LAUNCH, '/robot.launch.py']),
                launch_arguments={'robot': 'sim', 'rviz': LaunchConfiguration('rviz')}.items(),
            ),
        ]
    )
