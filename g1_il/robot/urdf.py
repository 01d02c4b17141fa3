# SPDX-License-Identifier: Apache-2.0
"""The G1 as a URDF for robot_state_publisher and rviz, from the same table and shapes.

URDF knows no capsules: one becomes a cylinder and two spheres.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

from g1_il.robot.joints import FIXED_JOINTS, JOINTS, LINKS, FixedJoint, Joint, Link
from g1_il.robot.mjcf import HEAD_CAMERA, numbers
from g1_il.robot.shapes import COLOURS, FRAME_OF_SITE, Shape, shapes_of
from g1_il.robot.tables import Vector

CAMERA_LINK = f'{HEAD_CAMERA}_link'
OPTICAL_FRAME = f'{HEAD_CAMERA}_color_optical_frame'

_NO_TURN = (0.0, 0.0, 0.0)


def _frame(parent: str, child: str, xyz: Vector, rpy: Vector = _NO_TURN) -> FixedJoint:
    return FixedJoint(name=f'{child}_joint', parent=parent, child=child, xyz=xyz, rpy=rpy)


EXTRA_FRAMES: tuple[FixedJoint, ...] = (
    _frame('d435_link', CAMERA_LINK, (0.0, 0.0, 0.0)),
    _frame(CAMERA_LINK, OPTICAL_FRAME, (0.0, 0.0, 0.0), (-math.pi / 2, 0.0, -math.pi / 2)),
    *(_frame(link, site, offset) for site, (link, offset) in FRAME_OF_SITE.items()),
)
"""Frames that the maker's URDF does not have: camera, palms and fingertips."""


def _rpy_of_z_to(direction: Vector) -> Vector:
    """Roll, pitch, yaw that turns the z axis into a direction."""
    x, y, z = direction
    return (0.0, math.atan2(math.hypot(x, y), z), math.atan2(y, x))


def _pieces(shape: Shape) -> list[tuple[str, dict[str, str], Vector, Vector]]:
    """URDF geometries of a shape: tag, attributes, xyz, rpy."""
    if shape.kind == 'box':
        size = numbers(2.0 * half for half in shape.half)
        return [('box', {'size': size}, shape.start, _NO_TURN)]
    ball = ('sphere', {'radius': repr(shape.radius)})
    if shape.kind == 'sphere':
        return [(*ball, shape.start, _NO_TURN)]
    (ax, ay, az), (bx, by, bz) = shape.start, shape.end
    along = (bx - ax, by - ay, bz - az)
    middle = ((ax + bx) / 2, (ay + by) / 2, (az + bz) / 2)
    rod = {'radius': repr(shape.radius), 'length': repr(math.hypot(*along))}
    pieces = [('cylinder', rod, middle, _rpy_of_z_to(along))]
    if shape.kind == 'capsule':
        pieces += [(*ball, shape.start, _NO_TURN), (*ball, shape.end, _NO_TURN)]
    return pieces


def _add_pieces(link: ET.Element, use: str, shape: Shape) -> None:
    for tag, attributes, xyz, rpy in _pieces(shape):
        part = ET.SubElement(link, use)
        ET.SubElement(part, 'origin', xyz=numbers(xyz), rpy=numbers(rpy))
        ET.SubElement(ET.SubElement(part, 'geometry'), tag, attributes)
        if use == 'visual':
            ET.SubElement(part, 'material', name=shape.colour)


def _add_link(robot: ET.Element, link: Link) -> None:
    element = ET.SubElement(robot, 'link', name=link.name)
    if link.mass > 0.0:
        inertial = ET.SubElement(element, 'inertial')
        ET.SubElement(inertial, 'origin', xyz=numbers(link.com), rpy='0 0 0')
        ET.SubElement(inertial, 'mass', value=repr(link.mass))
        keys = ('ixx', 'iyy', 'izz', 'ixy', 'ixz', 'iyz')
        moments = {key: repr(value) for key, value in zip(keys, link.inertia, strict=True)}
        ET.SubElement(inertial, 'inertia', moments)
    for shape in shapes_of(link.name):
        _add_pieces(element, 'visual', shape)
        if shape.solid:
            _add_pieces(element, 'collision', shape)


def _add_joint(robot: ET.Element, joint: Joint | FixedJoint) -> None:
    kind = 'revolute' if isinstance(joint, Joint) else 'fixed'
    element = ET.SubElement(robot, 'joint', name=joint.name, type=kind)
    ET.SubElement(element, 'origin', xyz=numbers(joint.xyz), rpy=numbers(joint.rpy))
    ET.SubElement(element, 'parent', link=joint.parent)
    ET.SubElement(element, 'child', link=joint.child)
    if isinstance(joint, Joint):
        ET.SubElement(element, 'axis', xyz=numbers(joint.axis))
        ET.SubElement(
            element,
            'limit',
            lower=repr(joint.lower),
            upper=repr(joint.upper),
            effort=repr(joint.effort),
            velocity=repr(joint.velocity),
        )


def build_urdf() -> str:
    """URDF text: the maker's 53 links and ours for camera, palms and fingertips."""
    robot = ET.Element('robot', name='g1')
    for name, rgba in COLOURS.items():
        material = ET.SubElement(robot, 'material', name=name)
        ET.SubElement(material, 'color', rgba=numbers(rgba))
    for link in LINKS.values():
        _add_link(robot, link)
    for frame in EXTRA_FRAMES:
        ET.SubElement(robot, 'link', name=frame.child)
    joints: tuple[Joint | FixedJoint, ...] = (*JOINTS, *FIXED_JOINTS, *EXTRA_FRAMES)
    for joint in joints:
        _add_joint(robot, joint)
    ET.indent(robot)
    return '<?xml version="1.0"?>\n' + ET.tostring(robot, encoding='unicode') + '\n'
