"""Runs Cassandra's own bulk loader, which streams SSTables to all nodes that keep their rows."""

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ring.nodes.errors import NodesError
from ring.nodes.java import tool_command

_LOADER: Final = "org.apache.cassandra.tools.BulkLoader"
_HEAP_MIB: Final = 384
# To standard error; without it, into a folder of the node's own log.
_LOGGING: Final = "-Dlogback.configurationFile=logback-tools.xml"
# What serves shoppers comes first.
_NICENESS: Final = ("nice", "-n", "10")


class BulkLoaderError(NodesError):
    """The loader did not finish in time, or ended with an error; the message has its output."""


@dataclass(frozen=True, slots=True)
class RingAccess:
    """How the loader reaches a ring.

    Attributes:
        contacts: addresses of nodes to learn the ring from.
        username: for Cassandra; empty: no authentication.
        password: of that user.
    """

    contacts: tuple[str, ...]
    cql_port: int
    storage_port: int
    username: str = ""
    password: str = ""


def run_bulk_loader(
    install_directory: Path,
    java_home: Path,
    folder: Path,
    ring: RingAccess,
    *,
    timeout_seconds: float,
) -> None:
    """Stream the SSTables of a folder, which is named KEYSPACE/TABLE; done again, nothing changes.

    Raises:
        BulkLoaderError: a node did not take them, the loader failed, or it took too long.
    """
    with tempfile.TemporaryDirectory(prefix="catalog-loader-") as scratch:
        command = loader_command(
            install_directory, java_home, folder, ring, scratch=Path(scratch), options=[_LOGGING]
        )
        _run([*_NICENESS, *command], folder, timeout_seconds)


def loader_command(
    install_directory: Path,
    java_home: Path,
    folder: Path,
    ring: RingAccess,
    *,
    scratch: Path,
    ignored: Sequence[str] = (),
    options: Sequence[str] = (),
) -> list[str]:
    """Return the command that streams a folder; most of it stands in a file, for us alone to read.

    Args:
        install_directory: a Cassandra of the ring's version.
        java_home: a Java 17.
        folder: of SSTables, named KEYSPACE/TABLE.
        ring: where to.
        scratch: a folder for the loader's own files.
        ignored: addresses of nodes that shall get nothing.
        options: of the JVM, besides.
    """
    arguments = ["--nodes", ",".join(ring.contacts), "--no-progress"]
    arguments += ["--port", str(ring.cql_port), "--storage-port", str(ring.storage_port)]
    if ignored:
        arguments += ["--ignore", ",".join(ignored)]
    if ring.username:
        arguments += ["--username", ring.username, "--password", ring.password]
    java, *words = tool_command(
        java_home,
        install_directory,
        _LOADER,
        *arguments,
        str(folder),
        heap_mib=_HEAP_MIB,
        options=[f"-Dcassandra.storagedir={scratch}", *options],
    )
    # Other users can read the arguments of a process.
    file = scratch / "loader.arguments"
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text("\n".join(map(_quoted, words)), encoding="utf-8")
    return [java, f"@{file}"]


def _run(command: Sequence[str], folder: Path, timeout_seconds: float) -> None:
    what = f"streaming {folder.parent.name}.{folder.name}"
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BulkLoaderError(
            f"{what}: {error}", advice="See whether all nodes are up: catalog-ring status"
        ) from error
    if done.returncode != 0:
        output = f"{done.stdout}\n{done.stderr}".strip()
        raise BulkLoaderError(
            f"{what} failed: {output[-1000:]}",
            advice="See whether all nodes are up (catalog-ring status) and what their logs say.",
        )


def _quoted(word: str) -> str:
    """Return a word as a file of Java's arguments has it."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
