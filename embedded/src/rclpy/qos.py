# SPDX-License-Identifier: Apache-2.0
"""Quality of service: policies, profiles, presets."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Any

from .duration import Duration


class InvalidQoSProfileException(Exception):
    """A profile that says too little."""

    def __init__(self, *args: object) -> None:
        super().__init__('Invalid QoSProfile', *args)


class QoSPolicyKind(IntEnum):
    """Policies by the numbers that events carry."""

    INVALID = 1
    DURABILITY = 2
    DEADLINE = 4
    LIVELINESS = 8
    RELIABILITY = 16
    HISTORY = 32
    LIFESPAN = 64
    DEPTH = 128
    LIVELINESS_LEASE_DURATION = 256
    AVOID_ROS_NAMESPACE_CONVENTIONS = 512


class QoSPolicyEnum(IntEnum):
    """Base of the policies."""

    @classmethod
    def short_keys(cls) -> list[str]:
        """Names as the command line writes them."""
        return [member.short_key for member in cls if member.name != 'UNKNOWN']

    @classmethod
    def get_from_short_key(cls, name: str) -> Any:
        """The policy of a short name."""
        return cls[name.upper()].value

    @property
    def short_key(self) -> str:
        """The name as the command line writes it."""
        return self.name.lower()


class HistoryPolicy(QoSPolicyEnum):
    """How many samples are kept."""

    SYSTEM_DEFAULT = 0
    KEEP_LAST = 1
    KEEP_ALL = 2
    UNKNOWN = 3


class ReliabilityPolicy(QoSPolicyEnum):
    """Whether lost samples are sent again."""

    SYSTEM_DEFAULT = 0
    RELIABLE = 1
    BEST_EFFORT = 2
    UNKNOWN = 3
    BEST_AVAILABLE = 4


class DurabilityPolicy(QoSPolicyEnum):
    """Whether late joiners get what was sent before."""

    SYSTEM_DEFAULT = 0
    TRANSIENT_LOCAL = 1
    VOLATILE = 2
    UNKNOWN = 3
    BEST_AVAILABLE = 4


class LivelinessPolicy(QoSPolicyEnum):
    """Who says that a publisher is alive."""

    SYSTEM_DEFAULT = 0
    AUTOMATIC = 1
    MANUAL_BY_TOPIC = 3
    UNKNOWN = 4
    BEST_AVAILABLE = 5


QoSHistoryPolicy, QoSReliabilityPolicy = HistoryPolicy, ReliabilityPolicy
QoSDurabilityPolicy, QoSLivelinessPolicy = DurabilityPolicy, LivelinessPolicy

_POLICIES: dict[str, Any] = {
    'history': HistoryPolicy,
    'reliability': ReliabilityPolicy,
    'durability': DurabilityPolicy,
    'liveliness': LivelinessPolicy,
}
_DEFAULTS: dict[str, Any] = {
    'history': HistoryPolicy.KEEP_LAST,
    'depth': 10,
    'reliability': ReliabilityPolicy.RELIABLE,
    'durability': DurabilityPolicy.VOLATILE,
    'lifespan': Duration(),
    'deadline': Duration(),
    'liveliness': LivelinessPolicy.SYSTEM_DEFAULT,
    'liveliness_lease_duration': Duration(),
    'avoid_ros_namespace_conventions': False,
}


class QoSProfile:
    """The policies of one endpoint; a duration of zero means unlimited."""

    __slots__ = [f'_{name}' for name in _DEFAULTS]

    def __init__(self, **kwargs: Any) -> None:
        unknown = set(kwargs) - set(_DEFAULTS)
        if unknown:
            raise AssertionError(
                f'Invalid arguments passed to constructor: {", ".join(sorted(unknown))}'
            )
        if 'history' not in kwargs and 'depth' not in kwargs:
            raise InvalidQoSProfileException('History and/or depth settings are required.')
        if kwargs.get('history') == HistoryPolicy.KEEP_LAST and 'depth' not in kwargs:
            raise InvalidQoSProfileException('History set to KEEP_LAST without a depth setting.')
        for name, default in _DEFAULTS.items():
            fallback = 0 if name == 'depth' else default
            setattr(self, name, kwargs.get(name, fallback))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, QoSProfile):
            return False
        return all(getattr(self, slot) == getattr(other, slot) for slot in self.__slots__)

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        parts = [f'{name}={getattr(self, name)!s}' for name in _DEFAULTS]
        return f'{type(self).__name__}({", ".join(parts)})'

    __repr__ = __str__

    def get_c_qos_profile(self) -> QoSProfile:
        """The profile itself: there is no C part here."""
        return self


def _field(name: str) -> property:
    slot, policy = f'_{name}', _POLICIES.get(name)

    def check(self: QoSProfile, value: Any) -> None:
        if policy is not None:
            value = policy(value)
        elif isinstance(_DEFAULTS[name], Duration):
            if not isinstance(value, Duration):
                raise AssertionError(f'{name} must be a Duration, got {type(value).__name__}')
        elif isinstance(_DEFAULTS[name], bool):
            if not isinstance(value, bool):
                raise AssertionError(f'{name} must be a bool, got {type(value).__name__}')
        elif not isinstance(value, int):
            raise AssertionError(f'{name} must be an int, got {type(value).__name__}')
        elif value < 0:
            raise ValueError(f'{name} must be positive, got {value}')
        setattr(self, slot, value)

    return property(lambda self: getattr(self, slot), check)


for _name in _DEFAULTS:
    setattr(QoSProfile, _name, _field(_name))


def _preset(**changes: Any) -> QoSProfile:
    return QoSProfile(**{**_DEFAULTS, **changes})


qos_profile_unknown = _preset(
    history=HistoryPolicy.UNKNOWN,
    depth=0,
    reliability=ReliabilityPolicy.UNKNOWN,
    durability=DurabilityPolicy.UNKNOWN,
    liveliness=LivelinessPolicy.UNKNOWN,
)
qos_profile_default = _preset()
qos_profile_system_default = _preset(
    history=HistoryPolicy.SYSTEM_DEFAULT,
    depth=0,
    reliability=ReliabilityPolicy.SYSTEM_DEFAULT,
    durability=DurabilityPolicy.SYSTEM_DEFAULT,
)
qos_profile_sensor_data = _preset(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
qos_profile_services_default = _preset()
qos_profile_parameters = _preset(depth=1000)
qos_profile_parameter_events = _preset(depth=1000)
qos_profile_rosout_default = _preset(
    depth=1000,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
    lifespan=Duration(seconds=10),
)
qos_profile_best_available = _preset(
    reliability=ReliabilityPolicy.BEST_AVAILABLE,
    durability=DurabilityPolicy.BEST_AVAILABLE,
    liveliness=LivelinessPolicy.BEST_AVAILABLE,
)


class QoSPresetProfiles(Enum):
    """The presets by name."""

    UNKNOWN = qos_profile_unknown
    DEFAULT = qos_profile_default
    SYSTEM_DEFAULT = qos_profile_system_default
    SENSOR_DATA = qos_profile_sensor_data
    SERVICES_DEFAULT = qos_profile_services_default
    PARAMETERS = qos_profile_parameters
    PARAMETER_EVENTS = qos_profile_parameter_events
    BEST_AVAILABLE = qos_profile_best_available

    @classmethod
    def short_keys(cls) -> list[str]:
        """Names as the command line writes them."""
        return [member.name.lower() for member in cls if member.name != 'UNKNOWN']

    @classmethod
    def get_from_short_key(cls, name: str) -> Any:
        """The preset of a short name."""
        return cls[name.upper()].value


class QoSCompatibility(IntEnum):
    """Whether a publisher and a subscription understand each other."""

    OK = 0
    WARNING = 1
    ERROR = 2


def qos_check_compatible(
    publisher_qos: QoSProfile, subscription_qos: QoSProfile
) -> tuple[QoSCompatibility, str]:
    """Whether the subscription gets the publisher's messages, and why not."""
    reasons = []
    if (
        publisher_qos.reliability == ReliabilityPolicy.BEST_EFFORT
        and subscription_qos.reliability == ReliabilityPolicy.RELIABLE
    ):
        reasons.append('Best effort publisher and reliable subscription')
    if (
        publisher_qos.durability == DurabilityPolicy.VOLATILE
        and subscription_qos.durability == DurabilityPolicy.TRANSIENT_LOCAL
    ):
        reasons.append('Volatile publisher and transient local subscription')
    for name in ('deadline', 'liveliness_lease_duration'):
        offered, wanted = getattr(publisher_qos, name), getattr(subscription_qos, name)
        if wanted.nanoseconds and not 0 < offered.nanoseconds <= wanted.nanoseconds:
            reasons.append(f"Subscription has a {name}, but the publisher's is longer or none")
    if (
        publisher_qos.liveliness == LivelinessPolicy.AUTOMATIC
        and subscription_qos.liveliness == LivelinessPolicy.MANUAL_BY_TOPIC
    ):
        reasons.append('Publisher liveliness automatic and subscription manual by topic')
    if reasons:
        return QoSCompatibility.ERROR, ''.join(f'ERROR: {reason};' for reason in reasons)
    vague = (ReliabilityPolicy.SYSTEM_DEFAULT, ReliabilityPolicy.UNKNOWN)
    if publisher_qos.reliability in vague or subscription_qos.reliability in vague:
        return QoSCompatibility.WARNING, 'WARNING: reliability is not known;'
    return QoSCompatibility.OK, ''
