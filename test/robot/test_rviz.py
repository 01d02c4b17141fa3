# SPDX-License-Identifier: Apache-2.0
"""The rviz configuration names topics and frames that exist."""

from __future__ import annotations

from pathlib import Path

import yaml

from g1_il.robot.joints import LINKS
from g1_il.robot.mjcf import HEAD_CAMERA
from g1_il.robot.urdf import EXTRA_FRAMES

CONFIG = Path(__file__).parents[2] / 'config' / 'g1_il.rviz'


def displays() -> dict[str, dict]:
    manager = yaml.safe_load(CONFIG.read_text())['Visualization Manager']
    return {display['Name']: display for display in manager['Displays']}


def test_robot_hands_and_camera_are_shown():
    shown = displays()
    frames = {*LINKS, *(frame.child for frame in EXTRA_FRAMES)}
    wanted = set(shown['Hands and camera']['Frames']) - {'All Enabled'}
    assert wanted <= frames
    assert {'left_palm', 'right_palm', 'head_camera_link'} <= wanted
    assert shown['Robot']['Description Topic']['Value'] == 'robot_description'
    assert shown['Robot']['Description Topic']['Durability Policy'] == 'Transient Local'
    camera = shown['Head camera']
    assert camera['Topic']['Value'] == f'{HEAD_CAMERA}/color/image_raw'
    assert camera['Topic']['Reliability Policy'] == 'Best Effort'
    assert set(camera['Visibility']) - {'Value'} < set(shown)
