# SPDX-License-Identifier: Apache-2.0
"""Let a learned policy drive the robot.

    ros2 launch g1_il policy.launch.py policy:=policy.onnx robot:=sim rollouts:=5
    ros2 launch g1_il policy.launch.py policy:=policy.onnx robot:=real

With rollouts:=0 (and always on the real robot) nothing moves until somebody arms the gate,
selects the source `policy` and calls `policy/start`; with rollouts:=N the simulated trials do it
and end the launch.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PythonExpression
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

from g1_il.ros.launch_end import end_the_launch

SHARE = FindPackageShare('g1_il')


def generate_launch_description() -> LaunchDescription:
    trials = IfCondition(
        PythonExpression(
            [
                "'",
                LaunchConfiguration('robot'),
                "' == 'sim' and '",
                LaunchConfiguration('rollouts'),
                "' != '0'",
            ]
        )
    )
    return LaunchDescription(
        [
            DeclareLaunchArgument('policy', description='policy file, as made by g1-il export'),
            DeclareLaunchArgument(
                'robot',
                default_value='sim',
                choices=['sim', 'real'],
                description='the simulated robot, started here, or the real one on the wire',
            ),
            DeclareLaunchArgument(
                'rollouts',
                default_value='0',
                description='trials in the simulator, scored, after which the launch ends',
            ),
            DeclareLaunchArgument(
                'seed', default_value='900000', description='first scene of the trials'
            ),
            DeclareLaunchArgument(
                'report', default_value='', description='JSON file that receives the score'
            ),
            DeclareLaunchArgument(
                'overwrite', default_value='false', description='replace that file if it exists'
            ),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource([SHARE, '/launch/robot.launch.py'])
            ),
            Node(
                package='g1_il',
                executable='policy',
                name='policy',
                output='screen',
                on_exit=end_the_launch,
                parameters=[
                    {
                        'policy': LaunchConfiguration('policy'),
                        'robot': LaunchConfiguration('robot'),
                    }
                ],
            ),
            Node(
                package='g1_il',
                executable='trials',
                name='trials',
                output='screen',
                condition=trials,
                on_exit=end_the_launch,
                parameters=[
                    {
                        'rollouts': LaunchConfiguration('rollouts'),
                        'seed': LaunchConfiguration('seed'),
                        'report': LaunchConfiguration('report'),
                        'overwrite': LaunchConfiguration('overwrite'),
                    }
                ],
            ),
        ]
    )
