"""The SDK's feed at a NATS that has TLS, by a certificate of an authority of its own."""

import asyncio
import ipaddress
import ssl
import sysconfig
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bench.running import free_ports
from minos_sdk import NatsFeed, StaticLogin
from minos_sdk.testing import Authority

FAR = "127.0.0.2"
"""Of this machine, but no name of it that the SDK takes for it."""


def certificate(folder: Path) -> None:
    """Write `cert.pem`, which vouches for itself, and `key.pem`."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "nats")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(FAR))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@pytest.fixture
async def nats_with_tls(tmp_path: Path) -> AsyncIterator[str]:
    certificate(tmp_path)
    [port] = free_ports(1)
    conf = f"""
listen: "{FAR}:{port}"
tls {{ cert_file: "{tmp_path}/cert.pem", key_file: "{tmp_path}/key.pem" }}
authorization {{ user: orders, password: secret }}
"""
    (tmp_path / "nats.conf").write_text(conf)
    program = Path(sysconfig.get_path("scripts")) / "nats-server"
    server = await asyncio.create_subprocess_exec(program, "-c", str(tmp_path / "nats.conf"), "-l", str(tmp_path / "log"))
    async with asyncio.timeout(20):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection(FAR, port)
                writer.close()
                break
            await asyncio.sleep(0.02)
    yield f"tls://{FAR}:{port}"
    server.terminate()
    await server.wait()


async def connections(url: str, tls: ssl.SSLContext | None, authority: Authority) -> dict[str, float]:
    """Give the counts once the feed got in, or was kept out."""
    verifier = authority.verifier(feed=NatsFeed(url, login=StaticLogin("orders", "secret"), tls=tls))
    await verifier.start(wait=0)
    async with asyncio.timeout(20):
        while not [name for name in verifier.metrics() if name.startswith("signals_connections")]:
            await asyncio.sleep(0.01)
    await verifier.close()
    return verifier.metrics()


async def test_a_certificate_of_an_authority_of_ones_own(nats_with_tls: str, tmp_path: Path, minos_authority: Authority) -> None:
    known = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    assert (await connections(nats_with_tls, known, minos_authority))["signals_connections"] == 1


async def test_attack_a_certificate_that_nobody_knows(nats_with_tls: str, minos_authority: Authority) -> None:
    assert "signals_connections" not in await connections(nats_with_tls, None, minos_authority)
