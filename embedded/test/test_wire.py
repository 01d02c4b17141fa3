# SPDX-License-Identifier: Apache-2.0
"""What other processes see of a node, against what they saw of a real Jazzy's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from embedded_ros import configuration
from embedded_ros.graph import Endpoint

_GOLDEN = json.loads((Path(__file__).parent / 'data' / 'jazzy_golden.json').read_text())['wire']
_NODE = """
import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from std_msgs.msg import String
from std_srvs.srv import Trigger
rclpy.init(); node = rclpy.create_node('golden', namespace='/ns')
latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
kept = [
    node.create_publisher(String, 'chatter', 10),
    node.create_publisher(String, 'latched', latched),
    node.create_subscription(String, 'sensor', print, qos_profile_sensor_data),
    node.create_service(Trigger, 'arm', lambda _, response: response),
    node.create_client(Trigger, 'other'),
]
rclpy.spin(node)
"""


def _described(endpoint: Endpoint) -> dict[str, Any]:
    policies = {policy.__scope__: policy for policy in endpoint.qos}
    data = policies.pop('Userdata').data.decode()
    return {
        'type': endpoint.type_name,
        'user_data': _anonymous(data),
        'qos': {name: _text(policy) for name, policy in policies.items()},
    }


def _text(policy: Any) -> str:
    return re.sub(rf'^Policy\.{policy.__scope__}\.?', '', str(policy))


def _anonymous(user_data: str) -> str:
    """USER_DATA with the participant's part of identities made equal."""
    return re.sub(r'(id=)[ 0-9a-f.]+', lambda found: found[1] + 'X', user_data)


def test_a_node_looks_on_the_wire_like_one_of_jazzy(
    run_python: Any, make_node: Any, spin_until: Any
) -> None:
    run_python(_NODE)
    graph = make_node('observer').context.graph
    own = graph.participant.guid[:12]
    expected = {
        (golden['entity'], golden['topic']): golden for golden in _GOLDEN if golden['topic']
    }

    def found() -> dict[tuple[str, str], Endpoint]:
        kinds = {'publication': 'writer', 'subscription': 'reader'}
        return {
            (kinds[endpoint.kind], endpoint.topic): endpoint
            for endpoint in graph.endpoints().values()
            if endpoint.gid[:12] != own
        }

    spin_until(lambda: len(found()) == len(expected))
    endpoints = found()
    assert set(endpoints) == set(expected)
    for key, golden in expected.items():
        described = _described(endpoints[key])
        assert described['type'] == golden['type'], key
        assert described['user_data'] == _anonymous(golden['user_data']), key
        if key[0] == 'writer' and golden['qos']['Durability'] == 'Volatile':
            del golden['qos']['History']  # Jazzy's Cyclone does not tell it; nobody needs it
        for policy, value in golden['qos'].items():
            assert described['qos'][policy] == value, (key, policy)


def test_identities_have_the_form_of_jazzy(context: Any) -> None:
    golden = next(entry for entry in _GOLDEN if entry['topic'] == 'rr/ns/armReply')
    identity = golden['user_data'].split('=')[1].split(';')[0]
    made = context.graph.service_id()
    assert len(made.split('.')) == len(identity.split('.')) == 16
    assert made.split('.')[12:] == ['0', '0', '0', '1']
    assert context.graph.service_id() != made


@pytest.mark.parametrize(
    ('environ', 'reach'),
    [
        ({}, 'LOCALHOST'),
        ({'ROS_LOCALHOST_ONLY': '1'}, 'LOCALHOST'),
        ({'ROS_LOCALHOST_ONLY': '0'}, 'SUBNET'),
        ({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'subnet'}, 'SUBNET'),
        ({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'OFF'}, 'OFF'),
        ({'ROS_LOCALHOST_ONLY': '1', 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET'}, 'LOCALHOST'),
        ({'CYCLONEDDS_URI': 'file:///x.xml'}, 'SYSTEM_DEFAULT'),
    ],
)
def test_discovery_reaches_as_far_as_the_environment_says(
    environ: dict[str, str], reach: str
) -> None:
    assert configuration.discovery_range(environ) == reach
    xml = configuration.configuration(environ) or ''
    assert ('name="lo"' in xml) == (reach in ('LOCALHOST', 'OFF'))
    assert ('127.0.0.1' in xml) == (reach == 'LOCALHOST')


def test_own_configuration_is_kept() -> None:
    environ = {'CYCLONEDDS_URI': '<a/>', 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
    assert configuration.configuration(environ).endswith(',<a/>')


def test_static_peers_are_listed() -> None:
    environ = {'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET', 'ROS_STATIC_PEERS': '10.0.0.1;robot'}
    xml = configuration.configuration(environ)
    assert '<Peer Address="10.0.0.1"/><Peer Address="robot"/>' in xml


@pytest.mark.parametrize('value', ['x', '-1', '233', '1.5'])
def test_a_bad_domain_is_refused(value: str) -> None:
    with pytest.raises(RuntimeError, match='allowed are 0 to 232'):
        configuration.domain_id({'ROS_DOMAIN_ID': value})


def test_a_bad_range_is_refused() -> None:
    with pytest.raises(RuntimeError, match='SUBNET'):
        configuration.discovery_range({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'WORLD'})
