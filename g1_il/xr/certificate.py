# SPDX-License-Identifier: Apache-2.0
"""A certificate of the host's own: browsers offer WebXR over HTTPS only."""

from __future__ import annotations

import datetime
import fcntl
import ipaddress
import os
import socket
import struct
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from g1_il.errors import ConfigError

VALID_DAYS = 397
RENEW_DAYS = 14

_SIOCGIFADDR = 0x8915


def host_addresses() -> list[str]:
    """IPv4 addresses of this host's interfaces, the loopback last."""
    found: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            request = struct.pack('256s', name.encode()[:15])
            try:
                answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, request)
            except OSError:
                continue  # An interface without an IPv4 address.
            found.append(socket.inet_ntoa(answer[20:24]))
    return sorted(set(found), key=lambda address: (address.startswith('127.'), address))


def host_names() -> list[str]:
    """Names under which a headset may reach this host."""
    name = socket.gethostname().split('.')[0]
    return sorted({'localhost', name, f'{name}.local', socket.gethostname()})


def ensure_certificate(folder: Path, *, now: datetime.datetime) -> tuple[Path, Path]:
    """The certificate and key of this host, made when there is none that still serves.

    A new one is made when it is about to expire or an address of this host is missing in it,
    since every new one has to be accepted in the headset again.

    Args:
        folder: Where `certificate.pem` and `key.pem` are kept; made with mode 0700.
        now: The present time, with its time zone.

    Returns:
        Paths of certificate and key.

    Raises:
        ConfigError: When the folder cannot be written.
    """
    certificate, key = folder / 'certificate.pem', folder / 'key.pem'
    addresses, names = host_addresses(), host_names()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (key.is_file() and _serves(certificate, addresses, names, now)):
            _make(certificate, key, addresses, names, now)
        key.chmod(0o600)
    except OSError as error:
        raise ConfigError(
            f'no certificate can be kept in {folder}: {error.strerror}; '
            'set config_folder to a folder that can be written'
        ) from error
    return certificate, key


def _serves(path: Path, addresses: list[str], names: list[str], now: datetime.datetime) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        subject = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (FileNotFoundError, ValueError, x509.ExtensionNotFound):
        return False
    valid = set(map(str, subject.value.get_values_for_type(x509.IPAddress)))
    valid |= set(subject.value.get_values_for_type(x509.DNSName))
    lasting = certificate.not_valid_after_utc - now > datetime.timedelta(days=RENEW_DAYS)
    return lasting and certificate.not_valid_before_utc <= now and valid >= {*addresses, *names}


def _make(
    path: Path, key_path: Path, addresses: list[str], names: list[str], now: datetime.datetime
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, 'g1_il headset server')])
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_private(key_path, secret)
    write_private(path, certificate.public_bytes(serialization.Encoding.PEM))


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f'.{path.name}.')  # mode 0600
    try:
        with os.fdopen(handle, 'wb') as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
