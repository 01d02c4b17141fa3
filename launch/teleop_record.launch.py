# SPDX-License-Identifier: Apache-2.0
"""Show the robot a task and record it: headset or scripted operator, robot, recorder.

    ros2 launch g1_il teleop_record.launch.py robot:=real operator:=headset task:='stack the cups'
    ros2 launch g1_il teleop_record.launch.py robot:=sim operator:=scripted episodes:=2 out:=data

With the headset, `ros2 run g1_il keyboard` in another terminal arms, engages and records. The
scripted operator does that itself and ends the launch when its episodes are done.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution, PythonExpression
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from g1_il.ros.launch_end import end_the_launch

SHARE = FindPackageShare('g1_il')
CONFIG = PathJoinSubstitution([SHARE, 'config'])


def generate_launch_description() -> LaunchDescription:
    operator = LaunchConfiguration('operator')
    # Also text when it looks like a number or a list.
    task = ParameterValue(LaunchConfiguration('task'), value_type=str)
    with_headset = IfCondition(PythonExpression(["'", operator, "' == 'headset'"]))
    scripted = IfCondition(PythonExpression(["'", operator, "' == 'scripted'"]))
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'operator',
                default_value='headset',
                choices=['headset', 'scripted'],
                description='who shows the task: a person in a headset, or the scripted human',
            ),
            DeclareLaunchArgument(
                'robot',
                default_value='sim',
                choices=['sim', 'real'],
                description='the simulated robot, started here, or the real one on the wire',
            ),
            DeclareLaunchArgument(
                'task',
                default_value='put the can into the bin',
                description='the task in words; every episode carries it',
            ),
            DeclareLaunchArgument(
                'episodes', default_value='2', description='episodes of the scripted operator'
            ),
            DeclareLaunchArgument(
                'seed', default_value='0', description='first scene of the scripted operator'
            ),
            DeclareLaunchArgument(
                'out', default_value='episodes', description='folder that receives the episodes'
            ),
            DeclareLaunchArgument(
                'xr_port', default_value='8443', description="port of the headset's HTTPS page"
            ),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource([SHARE, '/launch/robot.launch.py'])
            ),
            Node(
                package='g1_il',
                executable='retarget',
                name='retarget',
                output='screen',
                on_exit=end_the_launch,
            ),
            Node(
                package='g1_il',
                executable='recorder',
                name='recorder',
                output='screen',
                on_exit=end_the_launch,
                # Closing an episode writes its index: launch waits for it.
                sigterm_timeout='20',
                sigkill_timeout='20',
                parameters=[
                    PathJoinSubstitution([CONFIG, 'recorder.yaml']),
                    {
                        'out': ParameterValue(LaunchConfiguration('out'), value_type=str),
                        'task': task,
                    },
                ],
            ),
            Node(
                package='g1_il',
                executable='xr',
                name='xr',
                output='screen',
                on_exit=end_the_launch,
                condition=with_headset,
                parameters=[{'port': LaunchConfiguration('xr_port')}],
            ),
            Node(
                package='g1_il',
                executable='operator',
                name='operator',
                output='screen',
                condition=scripted,
                on_exit=end_the_launch,
                parameters=[
                    {
                        'task': task,
                        'episodes': LaunchConfiguration('episodes'),
                        'seed': LaunchConfiguration('seed'),
                        'robot': LaunchConfiguration('robot'),
                    }
                ],
            ),
        ]
    )
