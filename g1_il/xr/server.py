# SPDX-License-Identifier: Apache-2.0
"""The headset's server: page, tracking in, pictures and status out, all over one HTTPS port.

It runs an event loop in a thread of its own. Everything lies under `/<token>/`, so that the
page's own addresses are relative and carry the token with them.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
import threading
import time
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from aiohttp import WSMsgType, web

from g1_il.errors import ConfigError, G1Error
from g1_il.xr.access import AccessGuard, load_or_make_token
from g1_il.xr.certificate import host_addresses
from g1_il.xr.clients import Client, Clients, Counters, Deliver, number_field, text_field
from g1_il.xr.config import ServerConfig, ssl_context
from g1_il.xr.tracking import SIZE

_LOG = logging.getLogger(__name__)
_PAGE = ('index.html', 'app.js', 'panel.js', 'tracking.js', 'style.css')
_TYPES = {'.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css'}
_MAX_MESSAGE = max(4096, SIZE)
_HEADERS = {
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'self'; img-src 'self' blob: data:",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerReport:
    """Who is connected and what was counted.

    Attributes:
        clients: Number of open pages.
        control: Address of the one in control; empty without one.
        session: Its session's mode.
        problems: What keeps pages from starting a session, as they say.
        last_malformed: Why a message of a page still open was dropped, the last of each.
        refused_access: Requests with a wrong token since start.
        counters: See there.
    """

    clients: int
    control: str
    session: str
    problems: list[str]
    last_malformed: list[str]
    refused_access: int
    counters: Counters


class XrServer:
    """Serves the page and turns what it sends into frames.

    Args:
        config: See there.
        deliver: Called in the server's thread with each frame and the half width of its stamp.
    """

    def __init__(self, config: ServerConfig, deliver: Deliver) -> None:
        self._config = config
        self.token = load_or_make_token(config.folder)
        self._ssl = ssl_context(config)
        self._guard = AccessGuard(self.token)
        self._clients = Clients(deliver, max_age_s=config.max_frame_age_s)
        self._status: dict[str, object] = {}
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._runner: web.AppRunner | None = None
        self.port = config.port

    def start(self) -> None:
        """Listen; returns when the port is open.

        Raises:
            ConfigError: When the address cannot be listened on.
        """
        self._thread = threading.Thread(target=self._loop.run_forever, name='xr', daemon=True)
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()
        except OSError as error:
            self.stop()
            raise ConfigError(
                f'cannot listen on {self._config.host} port {self._config.port}: '
                f'{error.strerror}; set another host or port, or end the program that holds it'
            ) from error

    def stop(self) -> None:
        """Close all connections and end the thread. Harmless when not started."""
        if self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._thread = None
        self._loop.close()

    def urls(self) -> list[str]:
        """Addresses of the page, token included, one for each address of the host."""
        hosts = host_addresses() if self._config.host == '0.0.0.0' else [self._config.host]
        return [f'https://{host}:{self.port}/{self.token}/' for host in hosts]

    def show(self, jpeg: bytes, stamp_ns: int) -> None:
        """Send a camera picture to the pages, the newest only. From any thread."""
        self._loop.call_soon_threadsafe(self._clients.new_picture, jpeg, stamp_ns)

    def set_status(self, name: str, value: object) -> None:
        """Set one entry of the status that the pages show; JSON values only. From any thread."""
        self._loop.call_soon_threadsafe(self._status.__setitem__, name, value)

    def report(self) -> ServerReport:
        """Who is connected and what was counted. From any thread."""

        async def collect() -> ServerReport:
            control, clients = self._clients.control, self._clients.all
            return ServerReport(
                clients=len(clients),
                control=control.address if control is not None else '',
                session=control.session if control is not None else '',
                problems=[client.problem for client in clients if client.problem],
                last_malformed=[client.last_problem for client in clients if client.last_problem],
                refused_access=self._guard.refused,
                counters=dataclasses.replace(self._clients.counters),
            )

        return asyncio.run_coroutine_threadsafe(collect(), self._loop).result()

    async def _open(self) -> None:
        app = web.Application()
        app.router.add_get('/{name:favicon.ico|robots.txt|apple-touch-icon.*}', _no_file)
        app.router.add_get('/{token}/ws', self._socket)
        app.router.add_get('/{token}', self._to_folder)
        app.router.add_get('/{token}/{name:[^/]*}', self._file)
        app.router.add_get('/{tail:.*}', self._file)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, self._config.host, self._config.port, ssl_context=self._ssl
        )
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        mine = asyncio.current_task()
        for task in asyncio.all_tasks():
            if task is not mine:
                task.cancel()

    def _admit(self, request: web.Request) -> None:
        """Let a request pass that carries the token; anything else ends here."""
        token = request.match_info.get('token', '')
        status = self._guard.check(token, request.remote or '', time.monotonic_ns())
        if status == 403:
            raise web.HTTPForbidden(
                text='Wrong or missing token: open the address that the xr node printed.\n'
            )
        if status == 429:
            raise web.HTTPTooManyRequests(text='Too many wrong tokens: wait a minute.\n')

    async def _to_folder(self, request: web.Request) -> web.StreamResponse:
        self._admit(request)
        raise web.HTTPFound(f'/{self.token}/')

    async def _file(self, request: web.Request) -> web.StreamResponse:
        self._admit(request)
        name = request.match_info.get('name') or 'index.html'
        if name not in _PAGE:
            raise web.HTTPNotFound(text='No such file.\n')
        body = (resources.files('g1_il.xr') / 'page' / name).read_bytes()
        return web.Response(
            body=body, content_type=_TYPES[Path(name).suffix], charset='utf-8', headers=_HEADERS
        )

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        self._admit(request)
        origin = request.headers.get('Origin', '')
        if origin and origin != f'https://{request.host}':
            raise web.HTTPForbidden(text='Only the page of this server may connect.\n')
        socket = web.WebSocketResponse(
            max_msg_size=_MAX_MESSAGE, compress=False, heartbeat=self._config.silence_timeout_s / 2
        )
        await socket.prepare(request)
        client = self._clients.add(request.remote or '')
        tasks = [
            asyncio.create_task(self._send_images(socket, client)),
            asyncio.create_task(self._send_status(socket, client)),
            asyncio.create_task(self._send_pings(socket, client)),
        ]
        try:
            async for message in socket:
                if message.type == WSMsgType.BINARY:
                    self._clients.tracking(client, message.data, time.time_ns())
                elif message.type == WSMsgType.TEXT:
                    self._take(client, message.data)
        finally:
            self._clients.remove(client)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return socket

    def _take(self, client: Client, text: str) -> None:
        """One JSON message of a page; what cannot be understood is counted and dropped."""
        now_ns = time.time_ns()
        try:
            message = json.loads(text)
            if not isinstance(message, dict):
                raise G1Error(f'a message is {text[:40]!r}; it must be a JSON object')
            kind = message.get('type')
            if kind == 'pong':
                number = int(number_field(message, 'id'))
                self._clients.told_time(client, number, number_field(message, 't_ms'), now_ns)
            elif kind == 'image_shown':
                self._clients.image_shown(client, int(number_field(message, 'number')), now_ns)
            elif kind == 'session':
                self._clients.session(client, text_field(message, 'mode'))
            elif kind == 'problem':
                client.problem = text_field(message, 'text')
            else:
                raise G1Error(f'a message is of type {kind!r}')
        except (G1Error, ValueError, RecursionError) as error:
            self._clients.counters.refused_malformed += 1
            client.last_problem = str(error)[:200]

    async def _send_images(self, socket: web.WebSocketResponse, client: Client) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await client.wake.wait()
                client.wake.clear()
                message = self._clients.next_image(client)
                if message is not None:
                    await socket.send_bytes(message)

    async def _send_status(self, socket: web.WebSocketResponse, client: Client) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                age = client.image_age_s
                status = {
                    'type': 'status',
                    'role': self._clients.role(client),
                    'image_age_ms': round(age * 1e3, 1) if age == age else None,
                    **self._status,
                }
                await socket.send_str(json.dumps(status))
                await asyncio.sleep(self._config.status_period_s)

    async def _send_pings(self, socket: web.WebSocketResponse, client: Client) -> None:
        """A quick start, so that the first tracking message finds a clock; then slowly."""
        with contextlib.suppress(ConnectionError):
            pause = 0.05
            while True:
                await socket.send_str(json.dumps(self._clients.ask_time(client, time.time_ns())))
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, self._config.ping_period_s)


async def _no_file(request: web.Request) -> web.StreamResponse:
    """What browsers ask for by themselves is no guess at the token."""
    raise web.HTTPNotFound(text='No such file.\n')
