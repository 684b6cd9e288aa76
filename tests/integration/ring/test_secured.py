"""TLS and a password: a node of its own that asks for both."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ring import Consistency, RingClient, RingSettings, RingUnavailableError, Statement
from ring.nodes import local_ring
from ring.nodes.java import find_java_home
from ring.nodes.local_ring import LocalRing
from ring.nodes.ring_plan import RingPlan
from ring.transport import AuthenticationError, ConnectionOptions, Endpoint, connect
from tests.support.ccm import JVM_ARGUMENTS, installed_cassandra
from tests.support.scripted_ring import until

pytestmark = [pytest.mark.ring, pytest.mark.timeout(420)]

ADDRESS = "127.0.44.1"
# Cassandra makes this user when PasswordAuthenticator starts for the first time.
USERNAME = "cassandra"
PASSWORD = "cassandra"  # noqa: S105 - of a node that lives for a minute on a loopback address
STORE_PASSWORD = "of-this-test"  # noqa: S105
READ = Statement(
    "read_local", "SELECT key FROM local WHERE key = ?", Consistency.ONE, idempotent=True
)


def _openssl(directory: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)


def _certificates(directory: Path) -> None:
    """An authority, and a certificate of the node's address in a store for Java."""
    new_key = ("-newkey", "rsa:2048", "-nodes", "-days", "2")
    for name in ("ca", "other"):
        subject = ("-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
        _openssl(directory, "req", "-x509", *new_key, *subject)
    _openssl(
        *(directory, "req", *new_key[:3], "-subj", "/CN=node"),
        *("-keyout", "node.key", "-out", "node.csr"),
    )
    (directory / "san").write_text(f"subjectAltName=IP:{ADDRESS}\n", encoding="ascii")
    _openssl(
        *(directory, "x509", "-req", "-in", "node.csr", "-CA", "ca.pem", "-CAkey", "ca.key"),
        *("-CAcreateserial", "-days", "2", "-extfile", "san", "-out", "node.pem"),
    )
    _openssl(
        *(directory, "pkcs12", "-export", "-in", "node.pem", "-inkey", "node.key"),
        *("-out", "node.p12", "-passout", f"pass:{STORE_PASSWORD}"),
    )


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run the node; yield the folder of its certificates."""
    directory = tmp_path_factory.mktemp("secured")
    _certificates(directory)
    options = local_ring.node_options() | {
        "authenticator": "PasswordAuthenticator",
        "client_encryption_options": {
            "enabled": True,
            # The script that waits for the node speaks no TLS.
            "optional": True,
            "keystore": str(directory / "node.p12"),
            "keystore_password": STORE_PASSWORD,
            "store_type": "PKCS12",
        },
    }
    plan = RingPlan(
        directory=directory / "ring",
        install_directory=installed_cassandra({}),
        java_home=find_java_home(),
        addresses=(ADDRESS,),
        name="secured",
        jmx_port=17400,
        heap_mib=400,
        jvm_arguments=JVM_ARGUMENTS,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_ring, "node_options", lambda: options)
        ring = LocalRing.open(plan)
        try:
            ring.start(timeout_seconds=300.0)
            yield directory
        finally:
            ring.stop()
    shutil.rmtree(plan.directory)


def _settings(directory: Path, **changes: object) -> RingSettings:
    secure: dict[str, object] = {
        "contact_points": (ADDRESS,),
        "keyspace": "system",
        "username": USERNAME,
        "password": PASSWORD,
        "tls_ca_file": str(directory / "ca.pem"),
        "connect_timeout_seconds": 10.0,
        "request_timeout_seconds": 10.0,
    }
    return RingSettings(**(secure | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("version", [4, 5])
async def test_client_when_node_wants_tls_and_password_then_served(
    secured: Path, version: int
) -> None:
    """On both protocols, and with compression."""
    settings = _settings(secured, protocol_version=version, compression="lz4")
    client = await RingClient.open(settings, [READ])
    try:
        await client.wait_ready(60.0)
        reads = (client.fetch_one(READ.name, ("local",)) for _ in range(200))
        assert await asyncio.gather(*reads) == [("local",)] * 200
        (node,) = client.nodes.values()
        assert node.connection is not None
        transport = node.connection._transport
        assert transport is not None
        assert transport.get_extra_info("cipher") is not None
    finally:
        await client.aclose()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"password": "wrong"}, r"password are incorrect|BadCredentials|Bad credentials"),
        ({"username": "", "password": ""}, "wants a user name"),
        ({"tls_ca_file": "other.pem"}, r"certificate verify failed|CERTIFICATE_VERIFY_FAILED"),
        ({"tls_server_name": "another.example"}, r"[Hh]ostname mismatch|doesn't match"),
    ],
    ids=["wrong password", "no password", "unknown authority", "another name"],
)
async def test_client_when_credentials_or_certificate_are_wrong_then_reason_is_told(
    secured: Path, changes: dict[str, str], reason: str
) -> None:
    """Never connected, never a time-out without a word, and it goes on trying."""
    if "tls_ca_file" in changes:
        changes = {"tls_ca_file": str(secured / changes["tls_ca_file"])}
    client = await RingClient.open(_settings(secured, **changes), [READ])
    try:
        (node,) = client.nodes.values()
        await until(lambda: node.problem not in ("", "not connected yet"), 20.0)
        with pytest.raises(RingUnavailableError, match=reason):
            await client.wait_ready(0.1)
        assert not node.is_connected
    finally:
        await client.aclose()


async def test_connect_when_password_is_wrong_then_authentication_error(secured: Path) -> None:
    """The transport alone tells it apart from other failures to connect."""
    settings = _settings(secured)
    options = ConnectionOptions(
        username=USERNAME,
        password="wrong",  # noqa: S106 - none
        tls=settings.tls_context(),
    )
    with pytest.raises(AuthenticationError):
        await connect(Endpoint(ADDRESS), options, 10.0)
