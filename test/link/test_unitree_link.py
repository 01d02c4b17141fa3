# SPDX-License-Identifier: Apache-2.0
"""The link against a small G1 on the real wire."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest
from g1_wire import G1Process, wait_for
from link_bench import command, open_link, send_for

from g1_il.link import layout, topics
from g1_il.link.crc import crc_of_struct
from g1_il.link.unitree_link import UnitreeLink
from g1_il.robot.joints import COMMAND_INDEX, KP
from g1_il.robot.poses import STANDING


@pytest.fixture(scope='module')
def pair(module_robot_domain: int) -> Iterator[tuple[G1Process, UnitreeLink]]:
    """A G1 and a link that hears it."""
    with G1Process(module_robot_domain) as g1, open_link(module_robot_domain) as link:
        wait_for(lambda: (s := link.latest()) is not None and np.isfinite(s.position).all())
        yield g1, link


def test_state_passes_the_wire(pair: tuple[G1Process, UnitreeLink]):
    g1, link = pair
    state = link.latest()
    np.testing.assert_allclose(state.position, g1.ask('position'), atol=1e-6)
    np.testing.assert_allclose(state.effort, np.linspace(-1.0, 1.0, 43), atol=1e-6)
    np.testing.assert_allclose(state.linear_acceleration, [0.1, 0.2, 9.8], atol=1e-6)
    np.testing.assert_allclose(state.angular_velocity, [0.01, 0.02, 0.03], atol=1e-6)
    np.testing.assert_array_equal(state.casing_temperature, np.arange(29) + 20)
    np.testing.assert_array_equal(state.winding_temperature, np.arange(29) + 30)
    assert state.wireless_remote == bytes(range(40)) and state.mode_machine == 5
    assert abs(time.time_ns() - state.stamp_ns) < 2_000_000_000
    np.testing.assert_allclose(link.touch('left').pressure, np.arange(108) + 10.0, rtol=1e-6)
    wait_for(lambda: link.latest().tick > state.tick)
    wait_for(lambda: link.health().lowstate_rate_hz > 50.0)


def test_commands_pass_the_wire_are_held_and_hands_time_out(
    pair: tuple[G1Process, UnitreeLink],
):
    g1, link = pair
    target = STANDING + 0.01 * np.arange(43) / 43.0
    send_for(link, command(target, 0.5), 0.5)
    got = g1.ask('last')
    np.testing.assert_allclose(
        np.array(got['position'])[COMMAND_INDEX], target[COMMAND_INDEX], atol=1e-6
    )
    assert got['weight'] == 0.5 and got['hands'] and got['waist_kp'] == 0.0
    np.testing.assert_allclose(got['hand_kp'], KP[29:])
    counts = g1.ask('counts')
    assert counts['accepted'] > 20
    assert counts['crc'] == counts['mode_machine'] == counts['malformed'] == 0
    wait_for(lambda: not any(g1.ask('last')['hand_kp']), 5.0)
    held = g1.ask('last')
    assert held['weight'] == 0.5 and held['kp'] > 0.0
    send_for(link, command(target, 0.5), 0.1)
    assert any(g1.ask('last')['hand_kp'])
    send_for(link, command(target, 0.5, hands=False), 0.05)
    wait_for(lambda: not any(g1.ask('last')['hand_kp']), 0.5)


def test_wrong_checksums_are_refused_and_counted(pair: tuple[G1Process, UnitreeLink]):
    g1, link = pair
    g1.ask('crc', 0)
    wait_for(lambda: link.health().crc_errors > 5)
    last = link.latest()
    time.sleep(0.1)
    assert link.latest() is last
    g1.ask('crc', 'right')
    wait_for(lambda: link.latest() is not last)


def test_the_robot_ignores_what_a_g1_ignores(pair: tuple[G1Process, UnitreeLink]):
    g1, link = pair
    before = g1.ask('counts')
    struct = layout.zeros(layout.LOW_CMD)
    struct['mode_machine'] = 5
    link._write_body(layout.low_to_cdr(struct))
    wait_for(lambda: g1.ask('counts')['crc'] == before['crc'] + 1)
    struct['mode_machine'] = 6
    struct['crc'] = crc_of_struct(struct)
    link._write_body(layout.low_to_cdr(struct))
    wait_for(lambda: g1.ask('counts')['mode_machine'] == before['mode_machine'] + 1)
    three_motors = layout.CDR_HEADER + b'\x03\0\0\0' + bytes(3 * 28 + 16)
    link._write_hand['left'](three_motors)
    wait_for(lambda: g1.ask('counts')['malformed'] == before['malformed'] + 1)
    assert g1.ask('counts')['accepted'] == before['accepted']


def test_a_silent_hand_shows_by_its_stamp(pair: tuple[G1Process, UnitreeLink]):
    g1, link = pair
    g1.ask('silence', 'left')
    time.sleep(0.1)
    left = link.latest().left_hand_stamp_ns
    wait_for(lambda: link.latest().right_hand_stamp_ns > left + 200_000_000)
    assert link.latest().left_hand_stamp_ns == left
    assert link.health().hand_age_s[0] > 0.1
    g1.ask('silence')


def test_modes_of_hand_commands_carry_the_timeout_bit(pair: tuple[G1Process, UnitreeLink]):
    _, link = pair
    seen: list[bytes] = []
    write_hand, link._write_hand = link._write_hand, dict.fromkeys(topics.SIDES, seen.append)
    link.send(command(STANDING, 1.0, hands=True))
    link.send(command(STANDING, 1.0, hands=False))
    link._write_hand = write_hand
    motors = layout.hand_cmd_from_cdr(seen[-1])['motor_cmd'][0]
    assert motors['mode'].tolist() == [0x90 | index for index in range(7)]
    assert not motors['kp'].any() and not motors['q'].any()
