# SPDX-License-Identifier: Apache-2.0
"""Settings of the safety gate."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields

from g1_il.errors import ConfigError

SOURCES = ('teleop', 'policy', 'replay')
"""Sources of commands that the gate knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateConfig:
    """Limits, time-outs and ramps of the gate.

    The speed limits are meant for a person who teaches at a person's pace: pick and place in
    about 7 s asks for at most 4 rad/s of the arms, two thirds of what is allowed here; 6 rad/s is
    the speed at which other stacks shut the G1 down, its motors would do 37. Fingers
    are light and a hand closes in 0.2 s: they may go as fast as their motors, 12 rad/s (the
    thumb's base 3.14), and get there in 0.03 s.
    """

    control_rate_hz: float = field(
        default=250.0, metadata={'description': 'rate of the control loop'}
    )
    arm_max_velocity_rad_s: float = field(
        default=6.0, metadata={'description': 'fastest commanded arm joint'}
    )
    arm_max_acceleration_rad_s2: float = field(
        default=40.0, metadata={'description': 'largest commanded arm acceleration'}
    )
    hand_max_velocity_rad_s: float = field(
        default=12.0,
        metadata={'description': 'fastest commanded finger joint; never above the motor limit'},
    )
    hand_max_acceleration_rad_s2: float = field(
        default=400.0, metadata={'description': 'largest commanded finger acceleration'}
    )
    arm_margin_rad: float = field(
        default=0.02, metadata={'description': 'distance kept from the arm joint limits'}
    )
    arm_max_lead_rad: float = field(
        default=0.25, metadata={'description': 'most that an arm command may lead its joint'}
    )
    hand_max_lead_rad: float = field(
        default=0.8, metadata={'description': 'most that a finger command may lead its joint'}
    )
    effort_share: float = field(
        default=0.9,
        metadata={'description': 'share of the torque limit that stiffness times lead may ask'},
    )
    follow_gain_per_s: float = field(
        default=50.0, metadata={'description': 'how fast a lag behind the target is made up'}
    )
    hold_after_s: float = field(
        default=0.15, metadata={'description': 'silence of the source after which the gate holds'}
    )
    disengage_after_s: float = field(
        default=0.5,
        metadata={'description': 'silence of the source after which it is deselected'},
    )
    blend_s: float = field(
        default=0.5,
        metadata={'description': 'least time over which a newly followed source blends in'},
    )
    blend_max_velocity_rad_s: float = field(
        default=1.0,
        metadata={'description': 'fastest arm joint on the way to where a new source wants it'},
    )
    state_hold_after_s: float = field(
        default=0.05, metadata={'description': 'age of the robot state after which the gate holds'}
    )
    state_fault_after_s: float = field(
        default=1.0, metadata={'description': 'age of the robot state after which it is a fault'}
    )
    hand_stale_after_s: float = field(
        default=0.25, metadata={'description': 'age of a hand state after which that hand holds'}
    )
    arming_s: float = field(
        default=2.0, metadata={'description': 'time of the weight ramp from 0 to 1'}
    )
    release_velocity_rad_s: float = field(
        default=1.0, metadata={'description': 'fastest joint on the way to the rest pose'}
    )
    release_move_s: float = field(
        default=2.2, metadata={'description': 'most time spent on the way to the rest pose'}
    )
    release_ramp_s: float = field(
        default=1.2, metadata={'description': 'time of the weight ramp from 1 to 0'}
    )
    max_tilt_rad: float = field(
        default=1.0, metadata={'description': 'pelvis tilt from upright that is a fault'}
    )
    max_gyro_rad_s: float = field(
        default=6.0, metadata={'description': 'pelvis turning rate that is a fault'}
    )
    max_joint_velocity_rad_s: float = field(
        default=10.0, metadata={'description': 'measured speed of a body joint that is a fault'}
    )
    max_casing_temperature_degc: float = field(
        default=85.0, metadata={'description': 'motor casing temperature that is a fault'}
    )
    max_winding_temperature_degc: float = field(
        default=120.0, metadata={'description': 'motor winding temperature that is a fault'}
    )
    hands: bool = field(
        default=True,
        metadata={'description': 'two Dex3-1 hands are fitted; false: they are never commanded'},
    )

    gravity_compensation: bool = field(
        default=True, metadata={'description': 'feed the torque forward that holds the arms'}
    )
    hold_waist: bool = field(
        default=False,
        metadata={
            'description': 'hold the waist where it was at arming; a walking robot then leans'
        },
    )

    def __post_init__(self) -> None:
        """Refuses settings that no robot could follow."""
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, bool):
                continue
            smallest_allowed = 0.0 if item.name == 'arm_margin_rad' else 1e-6
            if not math.isfinite(value) or value < smallest_allowed:
                raise ConfigError(
                    f'{item.name} is {value}, allowed are positive finite numbers; '
                    f'set it in config/bridge.yaml'
                )
        if not 50.0 <= self.control_rate_hz <= 1000.0:
            raise ConfigError(
                f'control_rate_hz is {self.control_rate_hz}, allowed are 50 to 1000; the default '
                'is 250'
            )
        if self.disengage_after_s <= self.hold_after_s:
            raise ConfigError(
                f'disengage_after_s is {self.disengage_after_s}, it must be above hold_after_s '
                f'({self.hold_after_s}); raise it'
            )
        if self.release_move_s + self.release_ramp_s > 3.8:
            raise ConfigError(
                f'release_move_s + release_ramp_s is '
                f'{self.release_move_s + self.release_ramp_s:.2f} s, allowed are 3.8 s, because '
                f'the release at exit has to end within 4 s; shorten one of them'
            )
        if self.effort_share > 1.0:
            raise ConfigError(f'effort_share is {self.effort_share}, allowed are 0 to 1; lower it')

    @property
    def period_ns(self) -> int:
        """Time from one control step to the next [ns]."""
        return round(1e9 / self.control_rate_hz)
