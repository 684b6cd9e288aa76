"""The files of a backup on their way to the nodes of a ring, table by table.

How far it is stands on the hosts, below the node's data: `restores/BACKUP/begun` from the moment at
which all tables were empty, `restores/BACKUP/done/KEYSPACE.TABLE` for each table that is in. A
table that was stopped half way is begun anew: given twice, SSTables change nothing, for cells and
their timestamps are the same.
"""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from ring.backups.archive import AT_ONCE, Archive
from ring.backups.bounded import side_by_side
from ring.backups.files import fetch_object
from ring.backups.manifest import BackedFile, Manifest, MappedNode
from ring.backups.placement import sources_by_target
from ring.hosts.host import Host
from ring.nodes.bulk_loader import RingAccess
from ring.operations.context import Context
from ring.operations.errors import OperationError
from ring.operations.progress import Progress
from ring.operations.restore_schema import drop_indexes
from ring.operations.tables import literal
from ring.token_ring import Replication

RESTORES: Final = PurePosixPath("restores")
_BEGUN: Final = "begun"
_DONE: Final = "done"
_FILES: Final = "files"
_IMPORT_SECONDS: Final = 6 * 3600.0
_STREAM_SECONDS: Final = 24 * 3600.0

Sources = Mapping[str, tuple[str, ...]]
"""Host id in the ring → host ids in the backup, whose files it takes as they are."""


@dataclass(frozen=True, slots=True)
class Target:
    """A node that takes files."""

    node: MappedNode
    host: Host
    data_directory: PurePosixPath


class Delivery:
    """Gives a backup's files to the nodes of a ring."""

    def __init__(self, context: Context, archive: Archive, manifest: Manifest) -> None:
        """Prepare; nothing is read yet."""
        self._context = context
        self._store = archive.store
        self._manifest = manifest
        self._folder = RESTORES / manifest.name
        self._progress = Progress(context.say)
        self._done_bytes = 0

    async def deliver(
        self, nodes: Sequence[MappedNode], replications: Mapping[str, Replication]
    ) -> None:
        """Give every table that is not done to the nodes that keep its rows.

        Args:
            nodes: of the ring.
            replications: of each keyspace in it.

        Raises:
            BackupError: the store failed, or a file in it is damaged.
            NodesError: a node did not take something.
        """
        targets = [await self._target(node) for node in nodes]
        done = await self._done(targets)
        for backed in self._manifest.keyspaces:
            sources = sources_by_target(
                self._manifest.nodes,
                Replication.from_options(backed.replication),
                nodes,
                replications[backed.name],
            )
            for table in self._manifest.tables:
                if table.keyspace == backed.name and f"{backed.name}.{table.name}" not in done:
                    await self._deliver_table(table.keyspace, table.name, targets, sources)

    async def _deliver_table(
        self, keyspace: str, table: str, targets: Sequence[Target], sources: Sources | None
    ) -> None:
        files = {
            host_id: own
            for host_id, files in self._manifest.files.items()
            if (own := [one for one in files if (one.keyspace, one.table) == (keyspace, table)])
        }
        if files and sources is None:
            await self._stream_table(keyspace, table, files, targets)
        elif files and sources is not None:
            takers = {
                target: [source for source in sources[target.node.host_id] if source in files]
                for target in targets
            }
            await self._put(files, takers)
            await side_by_side(
                len(targets),
                (target for target in targets if takers[target]),
                lambda target: self._import(target, keyspace, table, takers[target]),
            )
        await self._mark(targets, PurePosixPath(_DONE, f"{keyspace}.{table}"))

    async def _put(
        self, files: Mapping[str, Sequence[BackedFile]], takers: Mapping[Target, Sequence[str]]
    ) -> None:
        """Fetch each file once, and give it to all who take it: targets, by whose files."""
        for target in takers:
            await target.host.remove_files(self._folder / _FILES)
        ways: dict[str, list[tuple[Host, PurePosixPath]]] = {}
        sizes: dict[str, int] = {}
        for target, taken in takers.items():
            for source in taken:
                for file in files[source]:
                    folder = self._folder_of(source, file.keyspace, file.table)
                    ways.setdefault(file.sha256, []).append((target.host, folder / file.name))
                    sizes[file.sha256] = file.size_bytes
        total = sum(self._manifest.objects.values())

        async def carry(sha256: str) -> None:
            here = self._store.scratch / sha256
            await fetch_object(self._store, sha256, here)
            for host, path in ways[sha256]:
                await host.put_file(here, path)
            await asyncio.to_thread(here.unlink)
            self._done_bytes += sizes[sha256]
            self._progress.show("bringing", min(total, self._done_bytes), total)

        await side_by_side(AT_ONCE, ways, carry)

    async def _stream_table(
        self,
        keyspace: str,
        table: str,
        files: Mapping[str, Sequence[BackedFile]],
        targets: Sequence[Target],
    ) -> None:
        """Have hosts of the ring, each with some nodes' files, send every row where it belongs."""
        await drop_indexes(self._context, keyspace, table)
        takers: dict[Target, list[str]] = {target: [] for target in targets}
        for source, target in zip(files, itertools.cycle(targets), strict=False):
            takers[target].append(source)
        await self._put(files, takers)
        settings, inventory = self._context.settings, self._context.hosts.inventory
        ring = RingAccess(
            contacts=tuple(target.node.address for target in targets),
            cql_port=inventory.cql_port,
            storage_port=inventory.storage_port,
            username=settings.username,
            password=settings.read_password() if settings.username else "",
        )

        async def stream(target: Target) -> None:
            for source in takers[target]:
                folder = self._folder_of(source, keyspace, table)
                await target.host.load_sstables(folder, ring, timeout_seconds=_STREAM_SECONDS)
                self._progress.note(f"streamed: {keyspace}.{table} from {target.host.entry.name}")
            await target.host.remove_files(self._folder / _FILES)

        await side_by_side(AT_ONCE, targets, stream)

    async def _import(
        self,
        target: Target,
        keyspace: str,
        table: str,
        taken: Sequence[str],
    ) -> None:
        """Have a node verify the files of some nodes and move them into its table."""
        folders = [self._folder_of(source, keyspace, table) for source in taken]
        paths = [str(target.data_directory / folder) for folder in folders]
        await target.host.nodetool(
            "import", "--", keyspace, table, *paths, timeout_seconds=_IMPORT_SECONDS
        )
        left = await target.host.list_files(self._folder / _FILES)
        if left:
            # It says so of files that it cannot read, but passes over what it does not know.
            raise OperationError(
                f"{target.host.entry.name} did not take {len(left)} files of {keyspace}.{table}, "
                f"the first {min(left)}",
                advice="See what its system.log says.",
            )
        self._progress.note(f"imported: {keyspace}.{table} on {target.host.entry.name}")

    def _folder_of(self, source: str, keyspace: str, table: str) -> PurePosixPath:
        """Return where a table's files of one node lie: Cassandra reads the names in the path."""
        return self._folder / _FILES / source / keyspace / table

    async def begin(self, nodes: Sequence[MappedNode]) -> None:
        """Note on all hosts that the tables were empty: what they hold from now on is ours."""
        await self._mark([await self._target(node) for node in nodes], PurePosixPath(_BEGUN))

    async def finish(self, nodes: Sequence[MappedNode]) -> None:
        """Remove the notes."""
        for node in nodes:
            await self._context.host_at(node.address).remove_files(RESTORES)

    async def _mark(self, targets: Sequence[Target], name: PurePosixPath) -> None:
        empty = self._store.scratch / "empty"
        await asyncio.to_thread(empty.write_bytes, b"")
        for target in targets:
            await target.host.put_file(empty, self._folder / name)

    async def _done(self, targets: Sequence[Target]) -> set[str]:
        """Return the tables that every node has."""
        sets = [
            {path.name for path in await target.host.list_files(self._folder / _DONE)}
            for target in targets
        ]
        return set.intersection(*sets) if sets else set()

    async def _target(self, node: MappedNode) -> Target:
        rows = await self._context.reader.run_cql(
            "SELECT value FROM system_views.settings"  # noqa: S608 - a literal
            f" WHERE name = {literal('data_file_directories')}",
            address=node.address,
        )
        directory = str(rows[0]["value"]).strip("[]").split(",")[0].strip()
        return Target(node, self._context.host_at(node.address), PurePosixPath(directory))


async def begun_restores(context: Context, nodes: Sequence[MappedNode]) -> set[str]:
    """Return the backups whose restore was begun on all nodes, and not ended.

    Raises:
        HostError: a host did not answer.
    """
    sets = []
    for node in nodes:
        files = await context.host_at(node.address).list_files(RESTORES)
        sets.append({path.parts[0] for path in files if path.parts[1:] == (_BEGUN,)})
    return set.intersection(*sets) if sets else set()
