# SPDX-License-Identifier: Apache-2.0
"""What the link refuses, and what it says then."""

from __future__ import annotations

import numpy as np
import pytest
from g1_wire import G1Process, wait_for
from link_bench import command, open_link

from g1_il.errors import ConfigError
from g1_il.link.unitree_link import LinkError, UnitreeLink
from g1_il.robot.poses import STANDING


def test_a_missing_checksum_is_accepted_on_request(robot_domain: int):
    with G1Process(robot_domain) as g1, open_link(robot_domain, accept_zero_crc=True) as link:
        g1.ask('crc', 0)
        wait_for(link.latest)
        errors = link.health().crc_errors
        g1.ask('crc', 1234)
        wait_for(lambda: link.health().crc_errors > errors)


def test_unknown_variants_are_refused(robot_domain: int):
    with G1Process(robot_domain, mode_machine=13) as g1, open_link(robot_domain) as link:
        wait_for(link.latest)
        assert '13' in link.obstacle() and '5' in link.obstacle()
        with pytest.raises(LinkError, match='mode_machine of the robot is 13'):
            link.send(command(STANDING, 1.0))
        assert g1.ask('counts')['accepted'] == 0


def test_one_robot_domain_per_process(robot_domain: int):
    with open_link(robot_domain), pytest.raises(ConfigError, match='already'):
        UnitreeLink(domain=robot_domain, interface='lo', accept_zero_crc=False)
    with open_link(robot_domain) as link:
        assert link.latest() is None and np.isnan(link.health().lowstate_age_s)
        with pytest.raises(LinkError, match='no LowState'):
            link.send(command(STANDING, 0.5))


def test_a_missing_interface_is_named():
    with pytest.raises(ConfigError, match=r"'eth77' does not exist, there are .*lo"):
        UnitreeLink(domain=99, interface='eth77', accept_zero_crc=False)
