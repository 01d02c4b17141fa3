# SPDX-License-Identifier: Apache-2.0
"""The server as a page sees it: over real TLS and a real WebSocket."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import time
from contextlib import asynccontextmanager

import aiohttp
import numpy as np
import pytest
from aiohttp import WSMsgType

from g1_il.errors import ConfigError
from g1_il.xr.bases import position_to_rep103
from g1_il.xr.clients import Clients
from g1_il.xr.config import ServerConfig
from g1_il.xr.server import XrServer
from g1_il.xr.tracking import Tracking, decode_tracking, encode_tracking


class Received:
    """Keeps what the server delivers."""

    def __init__(self) -> None:
        self.frames = []

    def __call__(self, frame, uncertainty_s: float) -> None:
        self.frames.append((frame, uncertainty_s, time.time_ns()))


@pytest.fixture
def received() -> Received:
    return Received()


@pytest.fixture
def server(tmp_path, received):
    config = ServerConfig(
        host='127.0.0.1', port=0, folder=tmp_path, status_period_s=0.02, max_frame_age_s=60.0
    )
    server = XrServer(config, received)
    server.start()
    yield server
    server.stop()


class Page:
    """A page's side of the line: answers pings, keeps the rest."""

    def __init__(self, socket) -> None:
        self.socket = socket
        self.status: list[dict] = []
        self.images: list[bytes] = []
        self.pings = 0
        self.acknowledge = True

    async def run(self) -> None:
        async for message in self.socket:
            if message.type == WSMsgType.BINARY:
                self.images.append(message.data)
                if self.acknowledge:
                    number = int.from_bytes(message.data[4:8], 'little')
                    await self.tell({'type': 'image_shown', 'number': number})
                continue
            content = json.loads(message.data)
            if content['type'] == 'ping':
                self.pings += 1
                now_ms = time.monotonic_ns() / 1e6
                await self.tell({'type': 'pong', 'id': content['id'], 't_ms': now_ms})
            else:
                self.status.append(content)

    async def tell(self, message: dict) -> None:
        await self.socket.send_str(json.dumps(message))

    async def until(self, condition) -> None:
        for _ in range(1000):
            if condition():
                return
            await asyncio.sleep(0.01)
        raise AssertionError('waited for ten seconds in vain')


@asynccontextmanager
async def page(server: XrServer):
    context = ssl.create_default_context(cafile=server._config.folder / 'certificate.pem')
    async with aiohttp.ClientSession() as session:
        url = server.urls()[0] + 'ws'
        async with session.ws_connect(url, ssl=context, max_msg_size=0) as socket:
            made = Page(socket)
            task = asyncio.create_task(made.run())
            yield made
            task.cancel()


def message(sequence: int, *, head_m: float = 1.5) -> bytes:
    poses = np.zeros((51, 7))
    poses[:, 6] = 1.0
    poses[0, 1] = head_m
    return encode_tracking(
        Tracking(
            sequence=sequence,
            headset_ms=time.monotonic_ns() / 1e6,
            head_tracked=True,
            left_tracked=False,
            right_tracked=True,
            poses=poses,
        )
    )


async def get(server: XrServer, path: str, **kwargs) -> tuple[int, str, str]:
    context = ssl.create_default_context(cafile=server._config.folder / 'certificate.pem')
    async with (
        aiohttp.ClientSession() as session,
        session.get(f'https://127.0.0.1:{server.port}{path}', ssl=context, **kwargs) as answer,
    ):
        return answer.status, await answer.text(), answer.headers.get('Content-Type', '')


def test_the_page_and_its_files_need_the_token(server) -> None:
    async def run() -> None:
        for name, kind in (('', 'text/html'), ('app.js', 'text/javascript'), ('panel.js', '')):
            status, body, content_type = await get(server, f'/{server.token}/{name}')
            assert status == 200
            assert content_type.startswith(kind)
            assert server.token not in body
        assert (await get(server, f'/{server.token}'))[0] == 200
        assert (await get(server, f'/{server.token}/key.pem'))[0] == 404
        for path in ('/', '/wrong/', '/wrong/app.js', '/wrong/ws', f'/{server.token}x/', '/a/b/c'):
            assert (await get(server, path))[0] == 403, path
        for path in ('/favicon.ico', '/apple-touch-icon-120x120.png', '/robots.txt'):
            assert (await get(server, path))[0] == 404, path
        for _ in range(4):
            await get(server, '/wrong/')
        assert (await get(server, '/wrong/'))[0] == 429

    asyncio.run(run())
    assert server.report().refused_access == 11


def test_a_foreign_page_may_not_connect(server) -> None:
    async def run() -> int:
        path = f'/{server.token}/ws'
        return (await get(server, path, headers={'Origin': 'https://elsewhere.example'}))[0]

    assert asyncio.run(run()) == 403


def test_tracking_becomes_frames_with_host_stamps(server, received) -> None:
    async def run() -> None:
        async with page(server) as headset:
            await headset.until(lambda: headset.pings >= 3)
            await headset.tell({'type': 'session', 'mode': 'immersive-vr'})
            for sequence in range(20):
                await headset.socket.send_bytes(message(sequence, head_m=1.0 + 0.01 * sequence))
            await headset.until(lambda: len(received.frames) == 20)
            await headset.until(lambda: headset.status[-1]['role'] == 'control')

    asyncio.run(run())
    for sequence, (frame, uncertainty_s, at_ns) in enumerate(received.frames):
        expected = position_to_rep103(np.array([0.0, 1.0 + 0.01 * sequence, 0.0]))
        np.testing.assert_allclose(frame.head_position, expected, atol=1e-6)
        assert (frame.head_tracked, frame.left.tracked, frame.right.tracked) == (True, False, True)
        assert 0.0 <= uncertainty_s < 1.0
        # On one machine the truth is known: sent at most this long before it was delivered.
        assert -1e9 * uncertainty_s <= at_ns - frame.stamp_ns < 10e9
    assert server.report().counters.frames == 20


def test_frames_that_a_stalled_line_delivers_late_are_dropped(received) -> None:
    clients = Clients(received, max_age_s=0.5)
    client = clients.add('here')
    clients.session(client, 'immersive-vr')
    now_ns = 10**18
    captured_ms = time.monotonic_ns() / 1e6
    client.clock.add_round_trip(
        asked_ns=now_ns, headset_ms=captured_ms, answered_ns=now_ns + 2_000_000
    )
    data = message(0)
    headset_ms = decode_tracking(data).headset_ms
    for age_ns in (0, 400_000_000, 600_000_000, 3_000_000_000):
        at_ns = now_ns + round((headset_ms - captured_ms) * 1e6) + age_ns
        clients.tracking(client, data, at_ns)
    assert len(received.frames) == clients.counters.frames == 2
    assert clients.counters.refused_late == 2


def test_malformed_messages_are_counted_and_the_line_stays(server, received) -> None:
    wrong = ['', 'no json', '[]', '5', '{}', '{"type": "pong"}', '{"type": "pong", "id": "x"}']
    wrong += ['{"type": "pong", "id": 1, "t_ms": NaN}', '{"type": "image_shown", "number": true}']
    wrong += ['{"type": "session", "mode": 7}', '[' * 2000, '{"type": "pong", "id": 1e400}']

    async def run() -> None:
        async with page(server) as headset:
            await headset.until(lambda: headset.pings >= 1)
            await headset.tell({'type': 'session', 'mode': 'immersive-ar'})
            for text in wrong:
                await headset.socket.send_str(text)
            for data in (b'', b'x', bytes(1444), message(0)[:-1]):
                await headset.socket.send_bytes(data)
            await headset.socket.send_bytes(message(1))
            await headset.until(lambda: len(received.frames) == 1)

    asyncio.run(run())
    report = server.report().counters
    assert report.refused_malformed == len(wrong) + 4
    assert report.frames == 1


def test_an_oversized_message_ends_that_line_only(server, received) -> None:
    async def run() -> None:
        async with page(server) as bad, page(server) as good:
            await bad.socket.send_bytes(bytes(1_000_000))
            await bad.until(lambda: bad.socket.closed)
            await good.until(lambda: good.pings >= 1)
            await good.tell({'type': 'session', 'mode': 'immersive-ar'})
            await good.socket.send_bytes(message(1))
            await good.until(lambda: received.frames)

    asyncio.run(run())


def test_one_page_controls_until_it_leaves(server, received) -> None:
    async def run() -> None:
        async with page(server) as second:
            async with page(server) as first:
                await first.until(lambda: first.pings >= 1)
                await second.until(lambda: second.pings >= 1)
                await first.tell({'type': 'session', 'mode': 'immersive-vr'})
                await first.until(lambda: first.status[-1]['role'] == 'control')
                await second.tell({'type': 'session', 'mode': 'immersive-vr'})
                await second.until(lambda: second.status[-1]['role'] == 'watch')
                await second.socket.send_bytes(message(1))
                await first.socket.send_bytes(message(2))
                await first.until(lambda: len(received.frames) == 1)
                await first.until(lambda: server.report().counters.refused_not_in_control == 1)
            await second.until(lambda: second.status[-1]['role'] == 'free')
            await second.tell({'type': 'session', 'mode': 'immersive-vr'})
            await second.socket.send_bytes(message(3))
            await second.until(lambda: len(received.frames) == 2)

    asyncio.run(run())


def test_only_the_newest_picture_is_sent(server) -> None:
    def number_in(data: bytes) -> int:
        return int(data[8:])

    async def run() -> None:
        async with page(server) as headset:
            headset.acknowledge = False
            await headset.until(lambda: headset.pings >= 1)
            for number in range(100):
                server.show(str(number).encode(), time.time_ns())
                await asyncio.sleep(0.001)
            await headset.until(lambda: len(headset.images) == 2)
            await asyncio.sleep(0.1)
            assert len(headset.images) == 2  # Two are under way; the rest waits for answers.
            headset.acknowledge = True
            for data in list(headset.images):
                shown = int.from_bytes(data[4:8], 'little')
                await headset.tell({'type': 'image_shown', 'number': shown})
            await headset.until(lambda: len(headset.images) == 3)
            assert number_in(headset.images[-1]) == 99  # Straight to the newest.
            await headset.until(lambda: headset.status[-1]['image_age_ms'] is not None)

    asyncio.run(run())
    report = server.report().counters
    assert report.images_sent == 3
    assert report.images_skipped == 97


def test_a_page_that_comes_late_sees_status_and_picture(server) -> None:
    server.set_status('gate', {'state': 'HOLD'})
    server.show(b'7', 1)

    async def run() -> None:
        async with page(server) as headset:
            await headset.until(lambda: headset.images and headset.status)
            assert headset.status[-1]['gate'] == {'state': 'HOLD'}

    asyncio.run(run())


def test_a_taken_port_is_said(server, tmp_path, received) -> None:
    config = ServerConfig(host='127.0.0.1', port=server.port, folder=tmp_path)
    with pytest.raises(ConfigError, match=f'port {server.port}.*set another host or port'):
        XrServer(config, received).start()


@pytest.mark.parametrize(
    ('wrong', 'says'),
    [
        ({'port': 70000}, 'port is 70000'),
        ({'certificate': '/a.pem'}, 'belong together'),
        ({'ping_period_s': 0.0}, 'ping_period_s'),
    ],
)
def test_wrong_configuration_is_refused(tmp_path, wrong: dict, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        ServerConfig(folder=tmp_path, **wrong)


def test_a_certificate_of_the_site_must_be_readable(tmp_path, received) -> None:
    (tmp_path / 'c.pem').write_text('nothing')
    config = ServerConfig(
        folder=tmp_path, certificate=str(tmp_path / 'c.pem'), key=str(tmp_path / 'k.pem')
    )
    with pytest.raises(ConfigError, match='PEM'):
        XrServer(config, received)


def test_stop_frees_the_port_while_pages_are_open(tmp_path, received) -> None:
    server = XrServer(ServerConfig(host='127.0.0.1', port=0, folder=tmp_path), received)
    server.start()

    async def run() -> None:
        async with page(server) as headset:
            await headset.until(lambda: headset.pings >= 1)
            await asyncio.to_thread(server.stop)
            await headset.until(lambda: headset.socket.closed)

    asyncio.run(run())
    with socket.create_server(('127.0.0.1', server.port)):
        pass
