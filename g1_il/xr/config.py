# SPDX-License-Identifier: Apache-2.0
"""Where the headset's server listens, and what it keeps."""

from __future__ import annotations

import datetime
import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from g1_il.errors import ConfigError
from g1_il.xr.certificate import ensure_certificate


def default_folder() -> Path:
    """Where certificate and token are kept: `$XDG_CONFIG_HOME/g1_il` or `~/.config/g1_il`."""
    base = os.environ.get('XDG_CONFIG_HOME', '')
    return (Path(base) if base else Path.home() / '.config') / 'g1_il'


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """Where the server listens and what it keeps.

    Attributes:
        host: Address to listen on; `0.0.0.0` for all.
        port: TCP port; 0 for any free one.
        folder: Where certificate, key and token are kept.
        certificate: A certificate of the site's own (PEM); empty for the self-signed one.
        key: Its key (PEM).
        ping_period_s: How often a page is asked for its time [s].
        status_period_s: How often a page is told the status [s].
        silence_timeout_s: A page that does not answer for this long is gone [s].
        max_frame_age_s: Tracking older than this is dropped: what a stalled line delivers late
            is not to be followed [s].
    """

    host: str = '0.0.0.0'
    port: int = 8443
    folder: Path = field(default_factory=default_folder)
    certificate: str = ''
    key: str = ''
    ping_period_s: float = 1.0
    status_period_s: float = 0.2
    silence_timeout_s: float = 5.0
    max_frame_age_s: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ConfigError(f'port is {self.port}; it must lie between 0 and 65535')
        if bool(self.certificate) != bool(self.key):
            raise ConfigError('certificate and key belong together; only one of them is set')
        for name in (
            'ping_period_s',
            'status_period_s',
            'silence_timeout_s',
            'max_frame_age_s',
        ):
            if not getattr(self, name) > 0.0:
                raise ConfigError(f'{name} is {getattr(self, name)}; it must be positive')


def ssl_context(config: ServerConfig) -> ssl.SSLContext:
    """TLS with the site's certificate, or with the self-signed one of this host.

    Raises:
        ConfigError: When a file is missing or the two do not belong together.
    """
    certificate, key = Path(config.certificate), Path(config.key)
    if not config.certificate:
        now = datetime.datetime.now(datetime.timezone.utc)
        certificate, key = ensure_certificate(config.folder, now=now)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError is one.
        raise ConfigError(
            f'certificate {certificate} with key {key} cannot be used: {error.strerror or error}; '
            'give PEM files that belong together'
        ) from error
    return context
