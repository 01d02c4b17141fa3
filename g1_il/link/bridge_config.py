# SPDX-License-Identifier: Apache-2.0
"""Settings of the bridge between the graph and the robot."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from g1_il.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeConfig:
    """Parameters of the node; those of the gate (GateConfig) come beside them."""

    interface: str = field(
        default='', metadata={'description': "network interface of the robot's DDS; empty: any"}
    )
    robot_domain: int = field(
        default=1, metadata={'description': "the robot's DDS domain: 0 a G1, 1 simulated"}
    )
    accept_zero_crc: bool = field(
        default=False,
        metadata={'description': 'believe LowState with checksum 0, as some simulators send it'},
    )
    state_rate_hz: float = field(
        default=100.0, metadata={'description': 'rate of joint_states and imu [Hz]; 1 to 500'}
    )
    executed_rate_hz: float = field(
        default=100.0, metadata={'description': 'rate of executed_command [Hz]; 1 to 250'}
    )
    touch_rate_hz: float = field(
        default=30.0, metadata={'description': 'rate of touch messages [Hz]; 1 to 100'}
    )

    def __post_init__(self) -> None:
        highest = {'state_rate_hz': 500.0, 'executed_rate_hz': 250.0, 'touch_rate_hz': 100.0}
        for name, limit in highest.items():
            value = getattr(self, name)
            if not 1.0 <= value <= limit:
                raise ConfigError(f'parameter {name} is {value}; allowed: 1 to {limit:.0f}')
        if not 0 <= self.robot_domain <= 232:
            raise ConfigError(f'parameter robot_domain is {self.robot_domain}; allowed: 0 to 232')
        graph_domain = os.environ.get('ROS_DOMAIN_ID', '') or '0'
        if graph_domain == str(self.robot_domain):
            raise ConfigError(
                f"the graph and the robot would share DDS domain {graph_domain}; set the graph's "
                f'to another, e.g. export ROS_DOMAIN_ID=42 for every node, or set robot_domain:='
            )
