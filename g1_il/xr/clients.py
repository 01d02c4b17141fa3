# SPDX-License-Identifier: Apache-2.0
"""Who is connected, who of them controls, and which picture each of them gets next."""

from __future__ import annotations

import asyncio
import itertools
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from g1_il.errors import G1Error
from g1_il.xr.clock import HeadsetClock
from g1_il.xr.frame import XrFrame
from g1_il.xr.tracking import FrameMaker, TrackingError, decode_tracking

IMAGE = 2
_IMAGE_HEADER = struct.Struct('<BBHI')
_MAX_IN_FLIGHT = 2

Deliver = Callable[[XrFrame, float], None]


@dataclass(slots=True, kw_only=True)
class Counters:
    """What the server has counted since its start."""

    frames: int = 0
    refused_malformed: int = 0
    refused_no_clock: int = 0
    refused_late: int = 0
    refused_not_in_control: int = 0
    images_sent: int = 0
    images_skipped: int = 0


@dataclass(slots=True, kw_only=True)
class Picture:
    """The newest camera picture: JPEG bytes, capture time [ns, Unix], running number."""

    jpeg: bytes
    stamp_ns: int
    number: int


@dataclass(slots=True, kw_only=True)
class Client:
    """One page. Only the server's event loop touches it.

    Attributes:
        number: Counts connections.
        address: Of the page.
        clock: Its clock as seen from here.
        session: Name of its immersive session, empty without one.
        problem: What keeps it from starting one, as the page says; empty when nothing does.
        image_age_s: From capture of a picture to the page having shown it, last one [s].
        wake: Set when there is something to send.
    """

    number: int
    address: str
    clock: HeadsetClock = field(default_factory=HeadsetClock)
    maker: FrameMaker = field(default_factory=FrameMaker)
    session: str = ''
    problem: str = ''
    image_age_s: float = float('nan')
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    asked: dict[int, int] = field(default_factory=dict)
    in_flight: dict[int, int] = field(default_factory=dict)
    sent_picture: int = 0
    last_problem: str = ''


class Clients:
    """All pages. The first to start a session controls, until its session or line ends.

    Control never passes by mere silence: a second pair of hands in the middle of a motion would
    make the robot's arms jump.

    Args:
        deliver: Takes each frame of the one in control and its clock's half width [s].
        max_age_s: Frames that are surely older when they come are dropped [s].
    """

    def __init__(self, deliver: Deliver, *, max_age_s: float) -> None:
        self._deliver = deliver
        self._max_age_s = max_age_s
        self._number = itertools.count(1)
        self._ping = itertools.count(1)
        self.all: list[Client] = []
        self.control: Client | None = None
        self.picture: Picture | None = None
        self.counters = Counters()

    def add(self, address: str) -> Client:
        """A page has connected."""
        client = Client(number=next(self._number), address=address)
        client.wake.set()  # A picture may be there already.
        self.all.append(client)
        return client

    def remove(self, client: Client) -> None:
        """A page has gone; what it controlled is free."""
        self.all.remove(client)
        self._release(client)

    def session(self, client: Client, name: str) -> None:
        """A page has started (or, with an empty name, ended) its immersive session."""
        client.session = name
        if not name:
            self._release(client)
        elif self.control is None:
            self.control = client

    def tracking(self, client: Client, data: bytes, now_ns: int) -> None:
        """One tracking message of a page: checked, stamped, delivered; or counted and dropped."""
        if client is not self.control:
            self.counters.refused_not_in_control += 1
            return
        try:
            tracking = decode_tracking(data)
        except TrackingError as error:
            self.counters.refused_malformed += 1
            client.last_problem = str(error)
            return
        stamp = client.clock.to_host_ns(tracking.headset_ms, now_ns)
        if stamp is None:
            self.counters.refused_no_clock += 1
            return
        if (now_ns - stamp[0]) * 1e-9 - stamp[1] > self._max_age_s:
            self.counters.refused_late += 1
            return
        self.counters.frames += 1
        self._deliver(client.maker.frame(tracking, stamp[0]), stamp[1])

    def ask_time(self, client: Client, now_ns: int) -> dict[str, int | str]:
        """The message that asks a page for its time."""
        number = next(self._ping)
        client.asked[number] = now_ns
        while len(client.asked) > 8:
            client.asked.pop(next(iter(client.asked)))
        return {'type': 'ping', 'id': number}

    def told_time(self, client: Client, number: int, headset_ms: float, now_ns: int) -> None:
        """A page's answer to `ask_time`; answers nobody asked for are left out."""
        asked = client.asked.pop(number, None)
        if asked is not None:
            client.clock.add_round_trip(asked_ns=asked, headset_ms=headset_ms, answered_ns=now_ns)

    def next_image(self, client: Client) -> bytes | None:
        """The newest picture as a message, unless this page has it or is still busy with others.

        At most two unshown pictures are under way to a page: what a slow line cannot carry is
        skipped here and never queues up.
        """
        picture = self.picture
        if picture is None or picture.number == client.sent_picture:
            return None
        if len(client.in_flight) >= _MAX_IN_FLIGHT:
            return None
        if client.sent_picture:
            self.counters.images_skipped += picture.number - client.sent_picture - 1
        self.counters.images_sent += 1
        client.sent_picture = picture.number
        client.in_flight[picture.number] = picture.stamp_ns
        return _IMAGE_HEADER.pack(IMAGE, 1, 0, picture.number & 0xFFFFFFFF) + picture.jpeg

    def image_shown(self, client: Client, number: int, now_ns: int) -> None:
        """A page has shown (or failed to decode) a picture: another may follow."""
        stamp_ns = client.in_flight.pop(number, None)
        if stamp_ns is not None:
            client.image_age_s = (now_ns - stamp_ns) * 1e-9
            client.wake.set()

    def new_picture(self, jpeg: bytes, stamp_ns: int) -> None:
        """Take the newest camera picture and wake those who wait for one."""
        number = self.picture.number + 1 if self.picture is not None else 1
        self.picture = Picture(jpeg=jpeg, stamp_ns=stamp_ns, number=number)
        for client in self.all:
            client.wake.set()

    def role(self, client: Client) -> str:
        """`control`, `watch` (somebody else controls) or `free` (nobody does)."""
        if self.control is None:
            return 'free'
        return 'control' if client is self.control else 'watch'

    def _release(self, client: Client) -> None:
        if self.control is client:
            self.control = None


def text_field(message: dict[str, object], name: str) -> str:
    """A text of a page's message, at most 200 characters.

    Raises:
        G1Error: When it is not a text.
    """
    value = message.get(name)
    if not isinstance(value, str):
        raise G1Error(f'{name} is {value!r}; it must be a text')
    return value[:200]


def number_field(message: dict[str, object], name: str) -> float:
    """A number of a page's message.

    Raises:
        G1Error: When it is not a finite number of sensible size.
    """
    value = message.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e15:
        raise G1Error(f'{name} is {value!r}; it must be a finite number')
    return float(value)
