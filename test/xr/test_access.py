# SPDX-License-Identifier: Apache-2.0
"""Certificate, token, and the guard at the door."""

from __future__ import annotations

import datetime
import ssl
import stat

import pytest
from cryptography import x509

from g1_il.errors import ConfigError
from g1_il.xr.access import AccessGuard, load_or_make_token
from g1_il.xr.certificate import ensure_certificate, host_addresses

NOW = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)
TOKEN = 'abcdefghijklmnop'


def test_certificate_names_this_host_and_keeps_its_key_secret(tmp_path) -> None:
    folder = tmp_path / 'new' / 'folder'
    certificate, key = ensure_certificate(folder, now=NOW)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert 'localhost' in names.get_values_for_type(x509.DNSName)
    assert '127.0.0.1' in host_addresses()
    assert set(map(str, names.get_values_for_type(x509.IPAddress))) == set(host_addresses())
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)


def test_certificate_is_kept_until_it_no_longer_serves(tmp_path) -> None:
    path, key = ensure_certificate(tmp_path, now=NOW)
    first = path.read_bytes()
    ensure_certificate(tmp_path, now=NOW + datetime.timedelta(days=300))
    assert path.read_bytes() == first
    ensure_certificate(tmp_path, now=NOW + datetime.timedelta(days=390))
    second = path.read_bytes()
    assert second != first
    path.write_text('not a certificate')
    ensure_certificate(tmp_path, now=NOW)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, key)


def test_a_folder_that_cannot_be_made_is_said(tmp_path) -> None:
    (tmp_path / 'file').write_text('')
    with pytest.raises(ConfigError, match='config_folder'):
        ensure_certificate(tmp_path / 'file', now=NOW)
    with pytest.raises(ConfigError, match='config_folder'):
        load_or_make_token(tmp_path / 'file')


def test_token_stays_and_is_secret(tmp_path) -> None:
    token = load_or_make_token(tmp_path)
    assert len(token) >= 16
    assert stat.S_IMODE((tmp_path / 'token').stat().st_mode) == 0o600
    assert load_or_make_token(tmp_path) == token
    assert load_or_make_token(tmp_path / 'other') != token


@pytest.mark.parametrize('text', ['', 'short', 'a/b' * 10, 'x' * 100])
def test_a_damaged_token_is_refused(tmp_path, text: str) -> None:
    (tmp_path / 'token').write_text(text)
    with pytest.raises(ConfigError, match='delete it'):
        load_or_make_token(tmp_path)


def test_guessing_is_slowed_down_per_address() -> None:
    guard = AccessGuard(TOKEN, allowed_failures=3, window_s=60.0)
    second = 1_000_000_000
    assert [guard.check('wrong', 'a', i * second) for i in range(5)] == [403, 403, 403, 429, 429]
    assert guard.check(TOKEN, 'a', 6 * second) == 429
    assert guard.check(TOKEN, 'b', 6 * second) == 200
    assert guard.check(TOKEN, 'a', 61 * second) == 200
    assert guard.check('wrong', 'a', 62 * second) == 403
    assert guard.refused == 7


@pytest.mark.parametrize('token', ['', TOKEN[:-1], TOKEN + 'x', 'ä' * 16, '\udcff'])
def test_nothing_but_the_token_passes(token: str) -> None:
    assert AccessGuard(TOKEN).check(token, 'a', 0) == 403


def test_many_addresses_take_bounded_memory() -> None:
    guard = AccessGuard(TOKEN)
    for number in range(5000):
        guard.check('wrong', str(number), number)
    assert len(guard._failures) <= 1024
