"""`catalog-ring backup PLACE`: all rows, the schema and the token map, in a folder or an S3 bucket.

The manifest is written last, so a backup is there whole or not at all. Files are kept by their
SHA-256: whatever an interrupted or an earlier backup has brought is not brought again.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from ring.backups.archive import AT_ONCE, Archive
from ring.backups.bounded import side_by_side
from ring.backups.manifest import (
    BackedKeyspace,
    BackedTable,
    Manifest,
    MappedNode,
    backup_name,
)
from ring.hosts.errors import HostError, InventoryError
from ring.nodes.errors import NodesError
from ring.operations.backup_files import NodeFile, Snapshots, copy_missing, list_snapshot
from ring.operations.backup_rows import Samples, describe_table, sample_tables, unchanged
from ring.operations.backup_schema import fetch_schema
from ring.operations.context import Context
from ring.operations.errors import OperationError, Refusal
from ring.operations.preflight import (
    megabytes,
    refuse_disk,
    refuse_owed,
    refuse_unrepaired,
    ring_is_well,
)
from ring.operations.progress import Progress
from ring.operations.row_samples import RowReader, Writes, fetch_sizes, fetch_writes
from ring.operations.steps import LEASE_SECONDS, Step, run_operation
from ring.operations.tables import BOOKKEEPING, Table, fetch_keyspaces, fetch_tables
from ring.operations.view import RingView

# A snapshot keeps files that compaction would have removed; this share of a node's data, at least,
# must be free for them.
_SPARE_SHARE: Final = 0.25


Act = Callable[[], Awaitable[None]]


async def run_backup(context: Context, backup: "Backup", *, dry_run: bool = False) -> None:
    """Make a backup; whatever comes, no snapshot is left behind on a node that answers.

    Raises:
        RefusedError, OperationLockedError: before anything was done.
        BackupError, NodesError, RingError: there is no new backup; run it again.
    """
    try:
        await run_operation(context, backup, dry_run=dry_run)
    finally:
        await backup.clear_up()


class Backup:
    """Snapshots on all nodes, and all that is needed to make a ring of them."""

    name = "backup"
    step_names = (
        "tidy",
        "sample",
        "snapshot",
        "rows",
        "files",
        "copy",
        "manifest",
        "clear",
        "prune",
    )
    lease_seconds = LEASE_SECONDS

    def __init__(self, archive: Archive, *, keep: int = 0) -> None:
        """Back up to an archive; `keep` backups stay there, all when it is 0."""
        self.purpose = f"backup to {archive.store.place}"
        self._archive = archive
        self._keep = keep
        self._work: _Work | None = None

    async def refusals(self, context: Context, view: RingView) -> Sequence[Refusal]:
        """Refuse unless the ring is well and owes nothing, and the place is this ring's."""
        refusals = [*ring_is_well(view), *refuse_owed(view), *refuse_unrepaired(view)]
        refusals += await _refuse_hosts(context, view)
        ring = await self._archive.ring()
        if ring not in {"", view.cluster_name}:
            refusals.append(
                Refusal(
                    f"{self._archive.store.place} keeps backups of the ring {ring!r}",
                    "Give each ring a place of its own.",
                )
            )
        return refusals

    def steps(self, context: Context, view: RingView) -> Sequence[Step]:
        """One after the other; none leaves a trace in the ring, so all are always run."""
        name = backup_name(datetime.now(UTC))
        work = self._work = _Work(context, view, self._archive, name)
        place = self._archive.store.place
        acts: list[tuple[str, str, Act]] = [
            ("tidy", "clear snapshots of backups that were killed", work.tidy),
            ("sample", "read the schema, and sampled rows at QUORUM", work.sample),
            (
                "snapshot",
                f"snapshot {len(work.nodes)} nodes as {work.snapshots.tag}",
                work.snapshot,
            ),
            ("rows", "count the rows, and read the sampled ones again", work.read_rows),
            ("files", "compute the checksums of the files on the nodes", work.list_files),
            ("copy", f"copy what {place} does not hold", work.copy),
            ("manifest", f"write the manifest of {name}", work.write_manifest),
            ("clear", "clear the snapshots", work.snapshots.clear),
        ]
        if self._keep:
            acts.append(("prune", f"keep the last {self._keep} backups", self._prune(context)))
        return [Step(word, what, lambda _view: False, run) for word, what, run in acts]

    def _prune(self, context: Context) -> Act:
        async def prune() -> None:
            removed = await self._archive.prune(self._keep)
            context.say(
                f"{'':>18} removed {len(removed.backups)} backups and {removed.files} files of "
                f"theirs ({megabytes(removed.size_bytes)})"
            )

        return prune

    async def clear_up(self) -> None:
        """Clear the snapshots that are still there; one that cannot be cleared will expire."""
        if self._work is not None:
            await self._work.clear_up()


class _Work:
    """One backup on its way."""

    def __init__(self, context: Context, view: RingView, archive: Archive, name: str) -> None:
        self._context = context
        self._archive = archive
        self._name = name
        self._ring = view.cluster_name
        self.nodes = mapped_nodes(view)
        self._addresses = [node.address for node in self.nodes]
        self.snapshots = Snapshots(context, name, self._addresses)
        self._rows = RowReader(context.reader, self._addresses)
        self._progress = Progress(context.say)
        self._keyspaces: tuple[BackedKeyspace, ...] = ()
        self._tables: list[Table] = []
        self._samples: Samples = {}
        self._writes: Writes = {}
        self._taken: tuple[datetime, datetime] | None = None
        self._described: list[BackedTable] = []
        self._files: dict[str, list[NodeFile]] = {}

    async def tidy(self) -> None:
        await self.snapshots.clear_forgotten()

    async def sample(self) -> None:
        reader = self._context.reader
        names = await fetch_keyspaces(reader)
        self._keyspaces = await fetch_schema(reader, names)
        tables = await fetch_tables(reader, names)
        self._tables = [table for table in tables if table.name not in BOOKKEEPING]
        self._samples = await sample_tables(self._rows, self._tables)
        self._writes = await fetch_writes(reader, self._addresses)

    async def snapshot(self) -> None:
        self._taken = await self.snapshots.take([keyspace.name for keyspace in self._keyspaces])

    async def read_rows(self) -> None:
        sizes = await fetch_sizes(self._context.reader, self._addresses)
        for table in self._tables:
            samples = await unchanged(self._rows, table, self._samples[table])
            count = await self._rows.count(table, sizes.get((table.keyspace, table.name), 0))
            writes = await fetch_writes(self._context.reader, self._addresses)
            self._described.append(describe_table(table, count, samples, self._writes, writes))
            self._progress.note(f"counting: {table.full_name} has {count:,} rows")

    async def list_files(self) -> None:
        async def read(node: MappedNode) -> None:
            self._files[node.host_id] = await list_snapshot(
                self._context.host_at(node.address),
                self.snapshots.tag,
                self._tables,
                self._progress,
            )

        await side_by_side(AT_ONCE, self.nodes, read)

    async def copy(self) -> None:
        files = [one for files in self._files.values() for one in files]
        held = await self._archive.objects()
        copied, copied_bytes = await copy_missing(self._archive.store, files, held, self._progress)
        self._context.say(
            f"{'':>18} copied {copied} of {len(files)} files ({megabytes(copied_bytes)}); the "
            "others were there"
        )

    async def write_manifest(self) -> None:
        await self._check_unchanged()
        if self._taken is None:
            raise AssertionError("the snapshot is an earlier step")
        manifest = Manifest(
            name=self._name,
            ring=self._ring,
            snapshot_began_at=self._taken[0],
            snapshot_ended_at=self._taken[1],
            nodes=self.nodes,
            keyspaces=self._keyspaces,
            tables=tuple(self._described),
            files={host: tuple(one.file for one in files) for host, files in self._files.items()},
        )
        await self._archive.write(manifest)
        total = sum(manifest.objects.values())
        self._context.say(f"{'':>18} {manifest.name}: {manifest.rows:,} rows, {megabytes(total)}")

    async def _check_unchanged(self) -> None:
        reader = self._context.reader
        names = await fetch_keyspaces(reader)
        if await fetch_schema(reader, names) != self._keyspaces:
            raise OperationError(
                "the schema was changed during the backup",
                advice="Change it before or after. Run the backup again; what was copied stays.",
            )
        if mapped_nodes(await reader.read()) != self.nodes:
            raise OperationError(
                "nodes or tokens changed during the backup",
                advice="See catalog-ring status; then run the backup again.",
            )

    async def clear_up(self) -> None:
        try:
            await self.snapshots.clear()
        except NodesError as error:
            self._context.say(f"{'':>18} a snapshot was not cleared, it will expire: {error}")


def mapped_nodes(view: RingView) -> tuple[MappedNode, ...]:
    """Return the members of the ring with their tokens: the token map."""
    return tuple(
        MappedNode(
            host_id=node.host_id,
            address=node.address,
            datacenter=node.datacenter,
            rack=node.rack,
            version=node.version,
            tokens=tuple(sorted(node.tokens)),
        )
        for node in view.members
    )


async def _refuse_hosts(context: Context, view: RingView) -> list[Refusal]:
    refusals = []
    for node in view.members:
        try:
            host = context.host_at(node.address)
            facts = await host.read_facts()
        except (HostError, InventoryError) as error:
            refusals.append(Refusal(str(error), error.advice))
        else:
            kept = round(node.load_bytes * _SPARE_SHARE)
            refusals += refuse_disk(host.entry.name, facts, kept)
    return refusals
