"""The files of a backup: snapshots on the nodes, their checksums, and the way to the store."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Final

from ring.backups.archive import AT_ONCE, object_name
from ring.backups.bounded import side_by_side
from ring.backups.errors import BackupError
from ring.backups.files import sha256_of
from ring.backups.manifest import BackedFile
from ring.backups.store import Store
from ring.hosts.host import Host
from ring.operations.context import Context
from ring.operations.preflight import megabytes
from ring.operations.progress import POLL_SECONDS, Progress
from ring.operations.tables import Table

_TAG: Final = "catalog-backup-"
# A snapshot that nobody could clear, because its operator's machine is gone, clears itself.
_TIME_TO_LIVE: Final = "7d"
_SNAPSHOT_SECONDS: Final = 900.0
_HASHED_FILES: Final = 500
_HASHED_BYTES: Final = 2 * 1024**3
# Not parts of SSTables: Cassandra's own notes about the snapshot.
_NOTES: Final = frozenset({"manifest.json", "schema.cql"})
# Parts of storage-attached indexes: a node that is given SSTables builds its own.
_INDEX: Final = "-SAI+"


@dataclass(frozen=True, slots=True)
class NodeFile:
    """A file of a snapshot: where it lies, and what it is."""

    host: Host
    path: PurePosixPath
    file: BackedFile


class Snapshots:
    """The snapshots of one backup, on all nodes under one tag."""

    def __init__(self, context: Context, name: str, addresses: Sequence[str]) -> None:
        """Prepare; nothing is taken yet."""
        self._context = context
        self._addresses = addresses
        self.tag = _TAG + name
        self.is_taken = False

    async def take(self, keyspaces: Sequence[str]) -> tuple[datetime, datetime]:
        """Flush and snapshot keyspaces on all nodes at once; return when it began and ended.

        Raises:
            HostError: a node did not take it.
        """
        self.is_taken = True
        began = datetime.now(UTC)
        await self._everywhere("snapshot", "-t", self.tag, "--ttl", _TIME_TO_LIVE, "--", *keyspaces)
        return began, datetime.now(UTC)

    async def clear(self) -> None:
        """Remove the snapshots, so that the nodes can let go of the files.

        Raises:
            HostError: a node did not.
        """
        if self.is_taken:
            await self._everywhere("clearsnapshot", "-t", self.tag)
            self.is_taken = False

    async def clear_forgotten(self) -> None:
        """Remove the snapshots of backups that were killed: nobody else makes one now.

        Raises:
            OperationError, HostError: a node did not answer.
        """
        for address in self._addresses:
            rows = await self._context.reader.run_cql(
                "SELECT name FROM system_views.snapshots", address=address
            )
            host = self._context.host_at(address)
            for tag in sorted({str(row["name"]) for row in rows}):
                if tag.startswith(_TAG):
                    self._context.say(f"{'':>18} {host.entry.name}: clearing {tag}, left behind")
                    await host.nodetool("clearsnapshot", "-t", tag)

    async def _everywhere(self, *arguments: str) -> None:
        hosts = [self._context.host_at(address) for address in self._addresses]

        async def run(host: Host) -> None:
            await host.nodetool(*arguments, timeout_seconds=_SNAPSHOT_SECONDS)

        # All at once: the shorter the moment, the better parts of it fit each other.
        await side_by_side(len(hosts), hosts, run)


async def list_snapshot(
    host: Host, tag: str, tables: Sequence[Table], progress: Progress
) -> list[NodeFile]:
    """Return a node's files of a snapshot with their checksums, which the host computes.

    Raises:
        HostError: the host could not.
    """
    found: list[NodeFile] = []
    for table in tables:
        folder = PurePosixPath(table.keyspace, table.folder, "snapshots", tag)
        sizes = {
            name: size for name, size in (await host.list_files(folder)).items() if _is_kept(name)
        }
        for batch in _batches(sizes):
            for name, sha256 in (await host.hash_files(folder, batch)).items():
                file = BackedFile(table.keyspace, table.name, name.name, sizes[name], sha256)
                found.append(NodeFile(host, folder / name, file))
            read = sum(one.file.size_bytes for one in found)
            progress.note(f"reading on {host.entry.name}: {megabytes(read)}")
    return sorted(found, key=lambda one: one.path)


def _is_kept(name: PurePosixPath) -> bool:
    """Whether a file of a snapshot holds rows; older indexes have folders of their own."""
    return len(name.parts) == 1 and name.name not in _NOTES and _INDEX not in name.name


def _batches(sizes: Mapping[PurePosixPath, int]) -> Iterator[list[PurePosixPath]]:
    batch: list[PurePosixPath] = []
    batch_bytes = 0
    for path, size in sizes.items():
        batch.append(path)
        batch_bytes += size
        if len(batch) >= _HASHED_FILES or batch_bytes >= _HASHED_BYTES:
            yield batch
            batch, batch_bytes = [], 0
    if batch:
        yield batch


async def copy_missing(
    store: Store, files: Iterable[NodeFile], held: Mapping[str, int], progress: Progress
) -> tuple[int, int]:
    """Bring to the store what it does not hold, several files side by side.

    Args:
        store: keeps them.
        files: of all nodes; those with equal contents are brought once.
        held: what the store has: SHA-256 → bytes.
        progress: is shown how far it is.

    Returns:
        How many files and bytes were brought.

    Raises:
        BackupError: they do not fit, or one did not come as it was; the store or a host failed.
    """
    wanted = {
        one.file.sha256: one for one in files if held.get(one.file.sha256) != one.file.size_bytes
    }
    total = sum(one.file.size_bytes for one in wanted.values())
    free = await store.free_bytes()
    if free is not None and free < total:
        raise BackupError(
            f"{store.place} has {free:,} bytes free, the backup needs {total:,}",
            advice="Make room there; --keep N removes older backups after the next one.",
        )
    brought = 0

    async def bring(one: NodeFile) -> None:
        nonlocal brought
        here = store.scratch / one.file.sha256
        await one.host.fetch_file(one.path, here)
        if await sha256_of(here) != one.file.sha256:
            raise BackupError(
                f"{one.host.entry.name}: {one.path} did not come as it is there",
                advice="Run the backup again: what has come is not copied again.",
            )
        await store.put_file(here, object_name(one.file.sha256))
        brought += one.file.size_bytes

    def show() -> None:
        progress.show("copying", min(total, brought + _size_bytes(store.scratch)), total)

    async with _ticking(show):
        await side_by_side(AT_ONCE, wanted.values(), bring)
    show()
    return len(wanted), total


def _size_bytes(folder: Path) -> int:
    """Return what is on its way; a file may be gone a moment later."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.exists())


@asynccontextmanager
async def _ticking(tick: Callable[[], None]) -> AsyncIterator[None]:
    """Call something every now and then while the body runs."""

    async def run() -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            tick()

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
