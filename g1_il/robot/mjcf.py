# SPDX-License-Identifier: Apache-2.0
"""The G1 as a MuJoCo model (MJCF text), alone or with a scene around it.

Bodies are the URDF's links (mere frames become sites), joints and actuators have the joints'
names, actuators are in ALL_JOINTS order. Every actuator is the motors' own law
tau + kp (q* - q) + kd (dq* - dq): gain 1, bias -kp q - kd dq, ctrl = tau + kp q* + kd dq*, limited
by the joint's torque. The pelvis is fixed to the world, as on a stand.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterable

import numpy as np

from g1_il.robot.joints import FIXED_JOINTS, JOINTS, LINKS, ROOT_LINK, FixedJoint, Joint, Link
from g1_il.robot.shapes import COLOURS, FRAME_OF_SITE, Shape, geom_name, shapes_of

HEAD_CAMERA = 'head_camera'
HEAD_CAMERA_FOVY_DEG = 58.0

# Contact bits. Two shapes touch when one's type meets the other's affinity.
TRUNK, SCENE, LEFT, RIGHT, THUMB = 1, 2, 4, 8, 16

# Guesses, no measurement of the motors is known: (armature [kg m^2], friction loss [Nm]).
_BODY_DYNAMICS = (0.01, 0.1)
_HAND_DYNAMICS = (0.001, 0.02)


def numbers(values: Iterable[float]) -> str:
    """Numbers as MJCF and URDF want them, without loss."""
    return ' '.join(repr(float(value)) for value in values)


def quaternion_wxyz(rpy: tuple[float, float, float]) -> tuple[float, float, float, float]:
    """Quaternion of fixed-axis roll, pitch, yaw [rad], MuJoCo's order."""
    cr, cp, cy = (math.cos(angle / 2) for angle in rpy)
    sr, sp, sy = (math.sin(angle / 2) for angle in rpy)
    return (
        cr * cp * cy + sr * sp * sy,
        sr * cp * cy - cr * sp * sy,
        cr * sp * cy + sr * cp * sy,
        cr * cp * sy - sr * sp * cy,
    )


def contact_bits(link: str) -> tuple[int, int]:
    """Contact type and affinity of a link's shapes.

    An arm touches the trunk, the other arm and the scene; of its own side only the thumb meets
    the fingers. Trunk and legs touch the scene and the arms, never each other.
    """
    side, _, part = link.partition('_')
    arm = part.startswith(('shoulder_yaw', 'elbow', 'wrist', 'hand'))
    if side not in ('left', 'right') or not arm:
        return TRUNK, SCENE
    other = RIGHT if side == 'left' else LEFT
    own = LEFT if side == 'left' else RIGHT
    if part.startswith('hand_thumb_2'):
        return own | THUMB, TRUNK | SCENE | other
    if part.startswith(('hand_index', 'hand_middle')):
        return own, TRUNK | SCENE | other | THUMB
    return own, TRUNK | SCENE | other


def _add_shape(body: ET.Element, link: str, number: int, shape: Shape) -> None:
    geom = ET.SubElement(body, 'geom', name=geom_name(link, number), type=shape.kind)
    geom.set('material', shape.colour)
    if shape.kind in ('capsule', 'cylinder'):
        geom.set('fromto', numbers((*shape.start, *shape.end)))
        geom.set('size', numbers((shape.radius,)))
    else:
        geom.set('pos', numbers(shape.start))
        geom.set('size', numbers(shape.half if shape.kind == 'box' else (shape.radius,)))
    if not shape.solid:
        geom.set('class', 'seen')
        return
    kind, affinity = contact_bits(link)
    geom.set('contype', str(kind))
    geom.set('conaffinity', str(affinity))
    geom.set('class', 'finger' if '_hand_' in link else 'solid')


def _add_inertia(body: ET.Element, link: Link) -> None:
    ET.SubElement(
        body,
        'inertial',
        pos=numbers(link.com),
        mass=numbers((link.mass,)),
        fullinertia=numbers(link.inertia),
    )


def _add_joint(body: ET.Element, joint: Joint) -> None:
    armature, friction = _HAND_DYNAMICS if '_hand_' in joint.name else _BODY_DYNAMICS
    ET.SubElement(
        body,
        'joint',
        name=joint.name,
        axis=numbers(joint.axis),
        range=numbers((joint.lower, joint.upper)),
        actuatorfrcrange=numbers((-joint.effort, joint.effort)),
        armature=numbers((armature,)),
        frictionloss=numbers((friction,)),
    )


def _fill_body(body: ET.Element, link: str) -> None:
    """Adds inertia, shapes, sites and child bodies of a link."""
    _add_inertia(body, LINKS[link])
    for number, shape in enumerate(shapes_of(link)):
        _add_shape(body, link, number, shape)
    for site, (carrier, offset) in FRAME_OF_SITE.items():
        if carrier == link:
            ET.SubElement(body, 'site', name=site, pos=numbers(offset), size='0.004', group='4')
    fixed: tuple[FixedJoint | Joint, ...] = FIXED_JOINTS
    for joint in (*JOINTS, *fixed):
        if joint.parent != link:
            continue
        place = {'pos': numbers(joint.xyz), 'quat': numbers(quaternion_wxyz(joint.rpy))}
        if LINKS[joint.child].mass == 0.0:
            frame = {'name': joint.child, 'size': '0.004', 'group': '4', **place}
            ET.SubElement(body, 'site', frame)
            if joint.child == 'd435_link':
                _add_head_camera(body, joint)
            continue
        child = ET.SubElement(body, 'body', {'name': joint.child, **place})
        if isinstance(joint, Joint):
            _add_joint(child, joint)
        _fill_body(child, joint.child)


def _add_head_camera(body: ET.Element, mount: FixedJoint | Joint) -> None:
    """MuJoCo's cameras look along -z with y up: the mount's x forward, z up."""
    pitch = mount.rpy[1]
    right = (0.0, -1.0, 0.0)
    up = (math.sin(pitch), 0.0, math.cos(pitch))
    ET.SubElement(
        body,
        'camera',
        name=HEAD_CAMERA,
        pos=numbers(mount.xyz),
        xyaxes=numbers((*right, *up)),
        fovy=numbers((HEAD_CAMERA_FOVY_DEG,)),
    )


def _options(root: ET.Element, timestep_s: float) -> None:
    ET.SubElement(root, 'compiler', angle='radian', autolimits='true')
    ET.SubElement(
        root,
        'option',
        timestep=numbers((timestep_s,)),
        integrator='implicitfast',
        solver='Newton',
        iterations='20',
        cone='elliptic',
        impratio='10',
    )
    default = ET.SubElement(root, 'default')
    ET.SubElement(default, 'geom', condim='4', solref='0.004 1', friction='0.8 0.005 0.0001')
    seen = ET.SubElement(default, 'default', {'class': 'seen'})
    ET.SubElement(seen, 'geom', contype='0', conaffinity='0', group='1')
    solid = ET.SubElement(default, 'default', {'class': 'solid'})
    ET.SubElement(solid, 'geom', group='1')
    finger = ET.SubElement(default, 'default', {'class': 'finger'})
    ET.SubElement(finger, 'geom', group='1', friction='1.2 0.01 0.0002', priority='1')


def build_mjcf(
    *,
    pelvis_height_m: float = 0.0,
    timestep_s: float = 0.002,
    assets: str = '',
    world: str = '',
    visual: str = '',
) -> str:
    """Builds the model.

    Args:
        pelvis_height_m: Height of the pelvis frame above the world's origin [m]; with 0 (and no
            scene) world poses are poses in the pelvis frame, which is what IK wants.
        timestep_s: Physics step [s].
        assets: MJCF elements for <asset>, for the scene.
        world: MJCF elements for <worldbody>: the scene. Its geoms need contype SCENE.
        visual: MJCF elements for <visual>.

    Returns:
        MJCF text of the 43 joint robot with 43 actuators, in ALL_JOINTS order.
    """
    root = ET.Element('mujoco', model='g1')
    _options(root, timestep_s)
    root.append(ET.fromstring(f'<visual>{visual}</visual>'))
    asset = ET.fromstring(f'<asset>{assets}</asset>')
    for name, rgba in COLOURS.items():
        material = ET.SubElement(asset, 'material', name=name, rgba=numbers(rgba))
        material.set('specular', '0.35')
        material.set('shininess', '0.5')
        if name == 'glow':
            material.set('emission', '0.7')
    root.append(asset)
    worldbody = ET.fromstring(f'<worldbody>{world}</worldbody>')
    pelvis = ET.SubElement(worldbody, 'body', name=ROOT_LINK, pos=f'0 0 {pelvis_height_m!r}')
    _fill_body(pelvis, ROOT_LINK)
    root.append(worldbody)
    actuator = ET.SubElement(root, 'actuator')
    for joint in JOINTS:
        ET.SubElement(
            actuator,
            'general',
            name=joint.name,
            joint=joint.name,
            gaintype='fixed',
            gainprm='1',
            biastype='affine',
            biasprm=numbers(np.array([0.0, -joint.kp, -joint.kd])),
        )
    ET.indent(root)
    return ET.tostring(root, encoding='unicode')
