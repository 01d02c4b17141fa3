# SPDX-License-Identifier: Apache-2.0
"""Messages: golden bytes and hashes of a real Jazzy, parity with rosbags, rclpy's checks."""

from __future__ import annotations

import copy
import json
import pickle
import random
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from embedded_ros import cdr, classes, definitions, type_hash
from rclpy.serialization import deserialize_message, serialize_message
from rosbags.typesys import Stores, get_typestore

_GOLDEN = json.loads((Path(__file__).parent / 'data' / 'jazzy_golden.json').read_text())
_STANDARD = sorted(
    f'{package}/{kind}/{name}'
    for package in definitions.standard.PACKAGES
    for kind in ('msg',)
    for name in definitions.names(package, kind)
)
# rosbags hashes `char` as a character; ROS 2 (see the golden ParticipantEntitiesInfo) as uint8.
_WITH_CHAR = {
    'rmw_dds_common/msg/Gid',
    'rmw_dds_common/msg/NodeEntitiesInfo',
    'rmw_dds_common/msg/ParticipantEntitiesInfo',
    'service_msgs/msg/ServiceEventInfo',
    'std_msgs/msg/Char',
}
_OWN = [f'g1_il/msg/{name}' for name in definitions.names('g1_il', 'msg')]


def _build(name: str, fields: dict[str, Any]) -> Any:
    """A message from the golden file's notation: nested dictionaries, or lists of reprs."""
    values = {}
    for field in definitions.find(name).fields:
        if field.name not in fields:
            continue
        value = fields[field.name]
        if field.type.is_message and field.type.container:
            value = [_evaluated(text) for text in value]
        elif field.type.is_message:
            value = _build(field.type.base, value)
        values[field.name] = value
    return classes.interface_class(name)(**values)


def _evaluated(text: str) -> Any:
    import builtin_interfaces.msg
    import diagnostic_msgs.msg
    import geometry_msgs.msg
    import rcl_interfaces.msg
    import rmw_dds_common.msg
    import std_msgs.msg

    names = {
        module.__name__.split('.')[0]: __import__(module.__name__)
        for module in (
            builtin_interfaces.msg,
            diagnostic_msgs.msg,
            geometry_msgs.msg,
            rcl_interfaces.msg,
            rmw_dds_common.msg,
            std_msgs.msg,
        )
    }
    as_array = {'array': lambda values, dtype: np.array(values, dtype), 'uint8': np.uint8}
    return eval(text, {**names, **as_array})


@pytest.mark.parametrize('golden', _GOLDEN['messages'], ids=lambda golden: golden['type'])
def test_bytes_and_hash_are_those_of_jazzy(golden: dict[str, Any]) -> None:
    message = _build(golden['type'], golden['fields'])
    assert serialize_message(message).hex() == golden['cdr_hex']
    assert deserialize_message(bytes.fromhex(golden['cdr_hex']), type(message)) == message
    assert type_hash.type_hash(golden['type']) == golden['rihs01']


def _random_value(kind: definitions.FieldType, rng: random.Random) -> Any:
    def one() -> Any:
        if kind.is_message:
            return _random_message(kind.base, rng)
        if kind.base in definitions.INTEGERS:
            return rng.randint(*definitions.INTEGERS[kind.base])
        if kind.base == 'float32':
            return float(np.float32(rng.uniform(-1e6, 1e6)))
        if kind.base == 'float64':
            return rng.uniform(-1e6, 1e6)
        if kind.base == 'bool':
            return rng.random() < 0.5
        if kind.base == 'octet':
            return rng.randbytes(1)
        return ''.join(rng.choices('abcdé€', k=rng.randint(0, 7)))

    if not kind.container:
        return one()
    count = kind.size if kind.container == 'array' else rng.randint(0, min(kind.size or 5, 5))
    return [one() for _ in range(count)]


def _random_message(name: str, rng: random.Random) -> Any:
    fields = definitions.find(name).fields
    return classes.interface_class(name)(**{f.name: _random_value(f.type, rng) for f in fields})


@pytest.mark.parametrize('name', [*_STANDARD, *_OWN])
def test_every_message_survives_a_round_trip(name: str) -> None:
    rng = random.Random(name)
    for _ in range(20):
        message = _random_message(name, rng)
        data = serialize_message(message)
        assert deserialize_message(data, type(message)) == message
        assert classes.deserialize(data + bytes(-len(data) % 4), type(message)) == message


def test_every_standard_message_has_the_bytes_and_hash_that_rosbags_gives() -> None:
    store = get_typestore(Stores.ROS2_JAZZY)
    rng = random.Random(1)
    checked = 0
    for name in _STANDARD:
        if name not in store.fielddefs:
            continue
        for _ in range(5):
            data = serialize_message(_random_message(name, rng))
            assert bytes(store.serialize_cdr(store.deserialize_cdr(data, name), name)) == data
            checked += 1
        if name not in _WITH_CHAR:
            assert type_hash.type_hash(name) == store.hash_rihs01(name)
    assert checked > 500


@pytest.mark.parametrize('cut', [5, 20, 40, 100])
def test_truncated_bytes_are_refused(cut: int) -> None:
    from sensor_msgs.msg import JointState

    data = serialize_message(JointState(name=['a', 'b'], position=[1.0, 2.0], effort=[1.0] * 9))
    assert len(data) > 100
    with pytest.raises(cdr.CdrError, match='sensor_msgs/msg/JointState'):
        deserialize_message(data[:cut], JointState)


def test_big_endian_bytes_are_refused_by_name() -> None:
    from std_msgs.msg import Int32

    with pytest.raises(cdr.CdrError, match='0000'):
        deserialize_message(bytes(8), Int32)


def test_defaults_and_constants_are_ros() -> None:
    from diagnostic_msgs.msg import DiagnosticStatus
    from geometry_msgs.msg import PoseStamped
    from sensor_msgs.msg import CameraInfo, JointState

    pose = PoseStamped().pose
    assert pose.orientation.w == 1.0
    assert pose.position.x == 0.0
    assert DiagnosticStatus.WARN == b'\x01'
    assert DiagnosticStatus().level == b'\x00'
    assert JointState().position == array('d')
    assert CameraInfo().k.dtype == np.float64
    assert CameraInfo().k.shape == (9,)
    assert PoseStamped() is not PoseStamped()
    assert PoseStamped().pose is not PoseStamped().pose


def test_fields_are_checked_as_rclpy_checks_them() -> None:
    from geometry_msgs.msg import Point
    from sensor_msgs.msg import CameraInfo, Image, JointState
    from std_msgs.msg import Header, String, UInt8

    state = JointState()
    state.position = [1.0, 2.0]
    assert state.position == array('d', [1.0, 2.0])
    refused: list[tuple[Any, str, Any]] = [
        (state, 'position', [1, 2]),
        (state, 'position', array('f', [1.0])),
        (state, 'position', np.zeros(3)),
        (state, 'position', 'abc'),
        (state, 'name', 'abc'),
        (state, 'name', [1]),
        (state, 'header', String()),
        (CameraInfo(), 'k', [0.0] * 8),
        (CameraInfo(), 'k', np.zeros(9, np.float32)),
        (Image(), 'height', -1),
        (Image(), 'height', 2**32),
        (Image(), 'height', 1.0),
        (Image(), 'data', [256]),
        (UInt8(), 'data', 256),
        (Point(), 'x', 1),
        (String(), 'data', b'bytes'),
        (Header(), 'frame_id', None),
    ]
    for message, name, value in refused:
        with pytest.raises(AssertionError, match=name):
            setattr(message, name, value)
    with pytest.raises(AssertionError, match='nonsense'):
        String(nonsense=1)
    with pytest.raises(AttributeError):
        String().nonsense = 1
    image = Image(data=b'\x01\x02')
    assert image.data == array('B', [1, 2])
    camera = CameraInfo(k=np.arange(9.0))
    assert camera.k[8] == 8.0


def test_messages_print_compare_copy_and_pickle() -> None:
    from std_msgs.msg import Float64MultiArray, Header, MultiArrayDimension

    message = Float64MultiArray(data=[1.5])
    message.layout.dim = [MultiArrayDimension(label='x', size=1, stride=1)]
    assert 'data=[1.5]' in repr(message)
    assert repr(Header()) == (
        "std_msgs.msg.Header(stamp=builtin_interfaces.msg.Time(sec=0, nanosec=0), frame_id='')"
    )
    for twin in (copy.deepcopy(message), pickle.loads(pickle.dumps(message))):
        assert twin == message
        twin.layout.dim[0].size = 2
        assert twin != message
    assert Header.get_fields_and_field_types() == {
        'stamp': 'builtin_interfaces/Time',
        'frame_id': 'string',
    }


def test_services_have_halves_and_no_instances() -> None:
    from std_srvs.srv import SetBool

    assert SetBool.Request(data=True).data
    assert SetBool.Response().message == ''
    with pytest.raises(NotImplementedError):
        SetBool()


def test_own_interfaces_are_read_from_the_share_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = tmp_path / 'share' / 'fruit_msgs'
    (share / 'msg').mkdir(parents=True)
    (share / 'srv').mkdir()
    (share / 'msg' / 'Fruit.msg').write_text(
        '# a fruit\n'
        'uint8 APPLE=1   # red\n'
        'string NAME="an # apple"\n'
        'float32 WEIGHT=0.5\n'
        'std_msgs/Header header\n'
        'uint8 kind 1 # default\n'
        'string<=5 label "ab"\n'
        'float64[3] position [1.0, 2.0, 3.0]\n'
        'int16[<=2] sizes\n'
        'bool[2] ripe [true, false]\n'
        'byte[] raw\n'
        'Fruit2[] seeds\n'
    )
    (share / 'msg' / 'Fruit2.msg').write_text('char letter\n')
    (share / 'srv' / 'Eat.srv').write_text('Fruit fruit\n---\n# nothing\n')
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    from fruit_msgs.msg import Fruit, Fruit2
    from fruit_msgs.srv import Eat

    assert (Fruit.APPLE, Fruit.NAME, Fruit.WEIGHT) == (1, 'an # apple', 0.5)
    fruit = Fruit()
    assert (fruit.kind, fruit.label, fruit.ripe) == (1, 'ab', [True, False])
    assert fruit.position.tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(AssertionError):
        fruit.label = 'too long'
    with pytest.raises(AssertionError):
        fruit.sizes = [1, 2, 3]
    fruit.seeds = [Fruit2(letter=65)]
    fruit.raw = [b'\x01', b'\x02']
    assert deserialize_message(serialize_message(fruit), Fruit) == fruit
    request = Eat.Request(fruit=fruit)
    assert deserialize_message(serialize_message(request), Eat.Request) == request
    assert deserialize_message(serialize_message(Eat.Response()), Eat.Response) == Eat.Response()
    with pytest.raises(ImportError):
        from fruit_msgs.msg import Nothing  # noqa: F401


@pytest.mark.parametrize('line', ['int8', 'what? x', 'int8 Big', 'int8 x y', 'int8[3'])
def test_a_bad_definition_names_the_line(line: str) -> None:
    with pytest.raises(definitions.DefinitionError, match='pkg/msg/Bad'):
        definitions.parse_fields('pkg/msg/Bad', f'int8 fine\n{line}\n')
