# SPDX-License-Identifier: Apache-2.0
"""Cyclone's configuration of the graph's domain, from ROS 2's environment variables.

Discovery stays on this machine unless the environment asks for more, because a robot's lab is
full of strangers. On loopback Cyclone finds peers by unicast to participant indices, which bounds
the number of processes per machine and domain.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

MAX_PROCESSES = 120
_RANGES = ('LOCALHOST', 'OFF', 'SUBNET', 'SYSTEM_DEFAULT')


def domain_id(environ: Mapping[str, str] = os.environ) -> int:
    """The graph's domain: ROS_DOMAIN_ID, else 0.

    Raises:
        RuntimeError: It is no number from 0 to 232.
    """
    text = environ.get('ROS_DOMAIN_ID', '') or '0'
    if not text.isdigit() or int(text) > 232:
        raise RuntimeError(f'ROS_DOMAIN_ID is {text!r}; allowed are 0 to 232')
    return int(text)


def discovery_range(environ: Mapping[str, str] = os.environ) -> str:
    """How far discovery reaches: a value of ROS_AUTOMATIC_DISCOVERY_RANGE.

    Raises:
        RuntimeError: The variable holds none of the values.
    """
    if environ.get('ROS_LOCALHOST_ONLY') == '1':
        return 'LOCALHOST'
    if wanted := environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', '').upper():
        if wanted not in _RANGES:
            allowed = ', '.join(_RANGES)
            raise RuntimeError(
                f'ROS_AUTOMATIC_DISCOVERY_RANGE is {wanted!r}; allowed are {allowed}'
            )
        return wanted
    if environ.get('ROS_LOCALHOST_ONLY') == '0':
        return 'SUBNET'
    # A configuration of the user's own says how far it reaches.
    return 'SYSTEM_DEFAULT' if environ.get('CYCLONEDDS_URI') else 'LOCALHOST'


def configuration(environ: Mapping[str, str] = os.environ) -> str | None:
    """XML for the domain; None when Cyclone's own defaults (and CYCLONEDDS_URI) are wanted."""
    reach = discovery_range(environ)
    if reach == 'SYSTEM_DEFAULT':
        return None
    peers = [peer for peer in environ.get('ROS_STATIC_PEERS', '').split(';') if peer]
    general = ''
    if reach in ('LOCALHOST', 'OFF'):
        general = (
            '<General><Interfaces><NetworkInterface name="lo" multicast="false"/></Interfaces>'
            '<AllowMulticast>false</AllowMulticast>'
            # Loopback carries large datagrams: an image costs 15 of them, not 700 fragments.
            '<MaxMessageSize>65500B</MaxMessageSize><FragmentSize>64000B</FragmentSize></General>'
        )
        peers = ['127.0.0.1'] if reach == 'LOCALHOST' else []
    listed = ''.join(f'<Peer Address="{peer}"/>' for peer in peers)
    xml = (
        f'<CycloneDDS><Domain id="any">{general}<Discovery>'
        f'<ParticipantIndex>auto</ParticipantIndex>'
        f'<MaxAutoParticipantIndex>{MAX_PROCESSES}</MaxAutoParticipantIndex>'
        f'<Peers>{listed}</Peers></Discovery></Domain></CycloneDDS>'
    )
    own = environ.get('CYCLONEDDS_URI')
    return f'{xml},{own}' if own else xml
