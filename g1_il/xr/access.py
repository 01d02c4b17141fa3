# SPDX-License-Identifier: Apache-2.0
"""Who may reach the headset server: those who know the token in its URL."""

from __future__ import annotations

import hmac
import re
import secrets
from collections import OrderedDict
from pathlib import Path

from g1_il.errors import ConfigError
from g1_il.xr.certificate import write_private

_TOKEN = re.compile(r'[A-Za-z0-9_-]{16,64}')
_MAX_ADDRESSES = 1024


def load_or_make_token(folder: Path) -> str:
    """The token of this host, kept in a file so that a bookmark in the headset stays good.

    Raises:
        ConfigError: When the file cannot be read or written, or holds something else.
    """
    path = folder / 'token'
    try:
        if path.is_file():
            token = path.read_text(encoding='ascii', errors='replace').strip()
            if not _TOKEN.fullmatch(token):
                raise ConfigError(
                    f'{path} does not hold a token of 16 to 64 letters, digits, - or _; '
                    'delete it to have a new one made'
                )
            return token
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        token = secrets.token_urlsafe(15)
        write_private(path, token.encode('ascii'))
    except OSError as error:
        raise ConfigError(
            f'no token can be kept in {folder}: {error.strerror}; '
            'set config_folder to a folder that can be written'
        ) from error
    return token


class AccessGuard:
    """Compares tokens and slows down who guesses.

    Args:
        token: The right one.
        allowed_failures: Wrong tokens one address may send within the window.
        window_s: Length of the window [s].
    """

    def __init__(self, token: str, *, allowed_failures: int = 10, window_s: float = 60.0) -> None:
        self._token = token.encode()
        self._allowed = allowed_failures
        self._window_ns = round(window_s * 1e9)
        self._failures: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self.refused = 0

    def check(self, token: str, address: str, now_ns: int) -> int:
        """HTTP status for one request: 200, 403 for a wrong token, 429 after too many of them.

        A right token counts as a guess too while an address is blocked, so that guessing on
        does not pay.

        Args:
            token: As sent.
            address: Of the sender.
            now_ns: Monotonic time [ns].
        """
        since, failures = self._failures.get(address, (now_ns, 0))
        if now_ns - since > self._window_ns:
            since, failures = now_ns, 0
        if failures >= self._allowed:
            self.refused += 1
            return 429
        if hmac.compare_digest(token.encode(errors='replace'), self._token):
            return 200
        self.refused += 1
        self._failures[address] = (since, failures + 1)
        self._failures.move_to_end(address)
        while len(self._failures) > _MAX_ADDRESSES:
            self._failures.popitem(last=False)
        return 403
