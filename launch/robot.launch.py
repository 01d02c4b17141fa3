# SPDX-License-Identifier: Apache-2.0
"""A robot to work with: simulated or real, behind the bridge; included by the other launch files.

ros2 launch g1_il robot.launch.py robot:=sim
"""

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution, PythonExpression
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from g1_il.robot.urdf import build_urdf
from g1_il.ros.launch_end import end_the_launch

# Where ROS 2 brings its own publisher of link transforms, that one is used.
try:
    get_package_prefix('robot_state_publisher')
    HAS_STATE_PUBLISHER = True
except PackageNotFoundError:
    HAS_STATE_PUBLISHER = False
CONFIG = PathJoinSubstitution([FindPackageShare('g1_il'), 'config'])


def description_nodes() -> list[Node]:
    """What publishes robot_description and the transforms of the links."""
    if HAS_STATE_PUBLISHER:
        urdf = ParameterValue(build_urdf(), value_type=str)
        return [
            Node(
                package='robot_state_publisher',
                executable='robot_state_publisher',
                parameters=[{'robot_description': urdf}],
            )
        ]
    return [Node(package='g1_il', executable='description', name='description')]


def generate_launch_description() -> LaunchDescription:
    simulated = PythonExpression(["'", LaunchConfiguration('robot'), "' == 'sim'"])
    real = PythonExpression(["'", LaunchConfiguration('robot'), "' == 'real'"])
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'robot',
                default_value='sim',
                choices=['sim', 'real'],
                description='the simulated robot, started here, or the real one on the wire',
            ),
            DeclareLaunchArgument(
                'interface',
                default_value=PythonExpression(["'lo' if ", simulated, " else 'eth0'"]),
                description="network interface on which the robot's DDS is reached",
            ),
            DeclareLaunchArgument(
                'robot_domain',
                default_value=PythonExpression(["'1' if ", simulated, " else '0'"]),
                description="the robot's DDS domain: 0 on a G1, 1 simulated; the graph's own "
                'domain (ROS_DOMAIN_ID) must be another',
            ),
            DeclareLaunchArgument(
                'scene', default_value='pick_place', description='scene of the simulated robot'
            ),
            DeclareLaunchArgument(
                'lowstate_rate_hz',
                default_value='500.0',
                description='LowState rate of the simulated robot [Hz]; a G1 sends 500',
            ),
            DeclareLaunchArgument(
                'rviz', default_value='false', description='show robot and camera in rviz'
            ),
            Node(
                package='g1_il',
                executable='sim',
                name='sim',
                output='screen',
                on_exit=end_the_launch,
                # Stays on the wire until the bridge has given the arms back.
                sigterm_timeout='10',
                sigkill_timeout='10',
                condition=IfCondition(simulated),
                parameters=[
                    {
                        'interface': LaunchConfiguration('interface'),
                        'robot_domain': LaunchConfiguration('robot_domain'),
                        'task': LaunchConfiguration('scene'),
                        'lowstate_rate_hz': LaunchConfiguration('lowstate_rate_hz'),
                    }
                ],
            ),
            Node(
                package='g1_il',
                executable='camera',
                name='camera',
                output='screen',
                on_exit=end_the_launch,
                condition=IfCondition(real),
                parameters=[PathJoinSubstitution([CONFIG, 'camera.yaml'])],
            ),
            Node(
                package='g1_il',
                executable='bridge',
                name='bridge',
                output='screen',
                on_exit=end_the_launch,
                # The release moves the arms to rest and may take 4 s: launch waits longer.
                sigterm_timeout='8',
                sigkill_timeout='8',
                parameters=[
                    PathJoinSubstitution([CONFIG, 'bridge.yaml']),
                    {
                        'interface': LaunchConfiguration('interface'),
                        'robot_domain': LaunchConfiguration('robot_domain'),
                    },
                ],
            ),
            *description_nodes(),
            Node(
                package='rviz2',
                executable='rviz2',
                condition=IfCondition(LaunchConfiguration('rviz')),
                arguments=['-d', PathJoinSubstitution([CONFIG, 'g1_il.rviz'])],
            ),
        ]
    )
