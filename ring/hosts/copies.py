"""Brings Cassandra and the app to a host as copies of what this machine has."""

import asyncio
import platform
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

from ring.hosts.errors import HostError
from ring.hosts.packed import Packed, pack_app, pack_cassandra
from ring.hosts.ssh_connection import SshConnection
from ring.nodes.errors import NodesError
from ring.nodes.install import install_cassandra, tarball_version
from ring.nodes.java import find_java_home
from ring.nodes.settings import StackSettings

# Digests of 70 MB are compared, on a slow disk.
COMPARE_SECONDS: Final = 120.0
INSTALL_SECONDS: Final = 240.0


class Copies:
    """What one host is given."""

    def __init__(self, connection: SshConnection) -> None:
        self._connection = connection

    async def check_machine(self) -> None:
        """See that this machine's copies can run on the host.

        Raises:
            HostError: another Python or processor, or no Java 17.
        """
        found = await self._connection.call("machine")
        name = self._connection.name
        here = (sys.implementation.cache_tag, platform.machine())
        there = (found["python"], found["machine"])
        if here != there:
            raise HostError(
                f"{name} has Python {there[0]} on {there[1]}, this machine {here[0]} on {here[1]}:"
                " the app's packages are copied from here",
                advice="Run catalog-ring with the hosts' Python, or let [ssh] python of the "
                "inventory name this one on the hosts.",
            )
        if found["java_error"]:
            raise HostError(f"{name}: {found['java_error']}", advice="On the host, that is.")

    async def bring_cassandra(self, settings: StackSettings, version: str) -> bool:
        """Install a version of Cassandra beside others; return whether anything had to be done."""
        try:
            packed = await asyncio.to_thread(_pack_cassandra, settings, version)
        except NodesError as error:
            raise HostError(str(error), advice=error.advice) from error
        return await self._bring(packed)

    async def bring_app(self) -> bool:
        """Install the app of this checkout; return whether anything had to be done."""
        try:
            packed = await asyncio.to_thread(_pack_app)
        except NodesError as error:
            raise HostError(str(error), advice=error.advice) from error
        return await self._bring(packed)

    async def _bring(self, packed: Packed) -> bool:
        what: dict[str, Any] = {"kind": packed.kind, "name": packed.name, "files": packed.entries}
        found = await self._connection.call("missing", timeout_seconds=COMPARE_SECONDS, **what)
        if found["complete"]:
            return bool(found["changed"])
        await self._connection.call(
            "install",
            payload=packed.sources(found["missing"]),
            timeout_seconds=INSTALL_SECONDS,
            sent=found["missing"],
            **what,
        )
        return True


@cache
def _pack_app() -> Packed:
    return pack_app()


def _pack_cassandra(settings: StackSettings, version: str) -> Packed:
    return pack_cassandra(_cassandra_here(settings, version), version)


def _cassandra_here(settings: StackSettings, version: str) -> Path:
    """Return the folder of a version on this machine, fetched when it was missing."""
    if not settings.cassandra_directory:
        folder = settings.install_directory.with_name(version)
        install_cassandra(folder, java_home=find_java_home(), version=version)
        return folder
    folder = settings.install_directory
    own = tarball_version(folder)
    if own != version:
        raise HostError(
            f"{folder} is Cassandra {own}, {version} is to be installed",
            advice="Let CATALOG_CASSANDRA_DIRECTORY name one of this version, or nothing.",
        )
    return folder
