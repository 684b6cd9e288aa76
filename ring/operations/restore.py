"""`catalog-ring restore PLACE`: a backup into a ring whose tables are empty, of whatever size."""

from collections.abc import Sequence
from typing import Final

from ring.backups.archive import Archive
from ring.backups.errors import BackupError
from ring.backups.manifest import Manifest
from ring.hosts.errors import HostError, InventoryError
from ring.operations.backup import mapped_nodes
from ring.operations.context import Context
from ring.operations.errors import OperationError, Refusal, RefusedError
from ring.operations.preflight import (
    refuse_clocks,
    refuse_disagreement,
    refuse_disk,
    refuse_down,
    refuse_owed,
    refuse_pending,
    refuse_unreadable,
    refuse_unrepaired,
    refuse_versions,
)
from ring.operations.progress import Progress
from ring.operations.restore_check import check_tables, wait_for_indexes
from ring.operations.restore_files import Delivery, begun_restores
from ring.operations.restore_preflight import received_bytes, refuse_older, refuse_unlike
from ring.operations.restore_schema import (
    create_indexes,
    create_tables,
    fetch_indexes,
    fetch_replication,
    fitting_replication,
)
from ring.operations.row_samples import RowReader
from ring.operations.steps import LEASE_SECONDS, Step, run_operation
from ring.operations.tables import BOOKKEEPING, Table, fetch_tables
from ring.operations.view import RingView
from ring.token_ring import Replication

_TRUNCATE_SECONDS: Final = 75.0
_AGAIN: Final = "Run the restore again; it goes on where it was."


async def run_restore(context: Context, restore: "Restore", *, dry_run: bool = False) -> None:
    """Restore a backup.

    The lock is a table of the keyspace that is restored. So where there is none yet, the schema is
    made before the lock is taken: two that do so at once do no harm.

    Raises:
        RefusedError, OperationLockedError: nothing was changed but the schema made.
        BackupError, NodesError, RingError: it is not finished; run it again.
    """
    view = await context.read_view(strict=False)
    if not dry_run and context.settings.keyspace in restore.keyspaces and view.debts_problem:
        refusals = await restore.refusals(context, view)
        if refusals:
            raise RefusedError(refusals)
        context.say("The keyspace has no tables for operations: making the schema of the backup.")
        await restore.create_tables(context)
        await context.open_records()
    await run_operation(context, restore, dry_run=dry_run)


class Restore:
    """Brings a backup's rows into the ring, and compares what is there then with the backup."""

    name = "restore"
    step_names = ("schema", "empty", "files", "indexes", "tidy", "compare")
    lease_seconds = LEASE_SECONDS

    def __init__(
        self, archive: Archive, manifest: Manifest, *, replace: bool = False, factor: int = 0
    ) -> None:
        """Restore a backup.

        Args:
            archive: has its files.
            manifest: of the backup.
            replace: whether rows that are in the tables may be removed.
            factor: replicas in keyspaces that are made; 0: three, or one a node when fewer.
        """
        self.purpose = f"restore {manifest.name}"
        self.keyspaces = frozenset(keyspace.name for keyspace in manifest.keyspaces)
        self._archive = archive
        self._manifest = manifest
        self._replace = replace
        self._factor = factor

    async def refusals(self, context: Context, view: RingView) -> Sequence[Refusal]:
        """Refuse unless the ring is well, can read the files, has room, and its tables are free."""
        refusals = [
            *refuse_down(view),
            *refuse_pending(view),
            *refuse_disagreement(view),
            *refuse_versions(view),
            *refuse_owed(view),
            *refuse_unrepaired(view),
            *refuse_older(view, self._manifest),
        ]
        if view.tables:
            refusals += refuse_unreadable(view)
        refusals += await self._refuse_missing()
        if refusals:
            return refusals
        refusals += await self._refuse_hosts(context, view)
        refusals += refuse_unlike(await self._tables(context), self._manifest)
        refusals += await self._refuse_indexes(context)
        if not refusals:
            refusals += await self._refuse_rows(context, view)
        return refusals

    def steps(self, context: Context, view: RingView) -> Sequence[Step]:
        """One after the other; those that were done before find nothing to do."""
        nodes = mapped_nodes(view)
        delivery = Delivery(context, self._archive, self._manifest)

        async def empty() -> None:
            if self._manifest.name not in await begun_restores(context, nodes):
                await self._truncate(context, view)
                await delivery.finish(nodes)
                await delivery.begin(nodes)

        async def bring() -> None:
            await delivery.deliver(nodes, await self._replications(context, view))

        async def index() -> None:
            await create_indexes(context, self._manifest)
            await wait_for_indexes(context, [node.address for node in nodes])

        acts = [
            ("schema", "make what is missing of the schema", lambda: self.create_tables(context)),
            ("empty", "see that the tables are empty", empty),
            ("files", f"bring the files of {self._manifest.name} to the nodes", bring),
            ("indexes", "make the indexes, and wait until they are built", index),
            ("tidy", "remove what the restore noted on the hosts", lambda: delivery.finish(nodes)),
            ("compare", "count rows and read the sampled ones", lambda: self.compare(context)),
        ]
        return [Step(word, what, lambda _view: False, run) for word, what, run in acts]

    async def create_tables(self, context: Context) -> None:
        """Make what is missing of the backup's keyspaces; see `restore_schema`."""
        await create_tables(context, self._manifest, self._factor)

    async def compare(self, context: Context) -> None:
        """Compare what the ring holds with what the backup says.

        Raises:
            OperationError: they differ; with each table that does.
        """
        checks = await check_tables(context, self._manifest)
        problems = [check.problem for check in checks if check.problem]
        if problems:
            raise OperationError(
                f"the ring does not hold what backup {self._manifest.name} says:\n"
                + "\n".join(problems),
                advice="If somebody wrote meanwhile, that may be all. If nobody did: catalog-ring "
                "backup --verify PLACE, then restore once more with --replace.",
            )
        rows = sum(check.rows for check in checks)
        same = sum(check.same for check in checks)
        context.say(f"{'':>18} {rows:,} rows in {len(checks)} tables; {same:,} sampled rows equal")

    async def _tables(self, context: Context) -> list[Table]:
        return await fetch_tables(context.reader, sorted(self.keyspaces))

    async def _replications(self, context: Context, view: RingView) -> dict[str, Replication]:
        """Return the replication of each keyspace: as it is, or will be once it is made."""
        found = {}
        for name in self.keyspaces:
            options = await fetch_replication(context, name)
            found[name] = Replication.from_options(
                options or fitting_replication(view, self._factor)
            )
        return found

    async def _tables_with_rows(self, context: Context, view: RingView) -> list[Table]:
        rows = RowReader(context.reader, sorted(view.answering))
        return [
            table
            for table in await self._tables(context)
            if table.name not in BOOKKEEPING and await rows.has_rows(table)
        ]

    async def _check_files(self, context: Context) -> None:
        """Read all of the backup once before anything is removed for its sake."""
        progress = Progress(context.say)
        damages = await self._archive.verify(
            [self._manifest.name], lambda done, total: progress.show("checking", done, total)
        )
        if damages:
            raise BackupError(
                f"{len(damages)} files of {self._manifest.name} are damaged, the first "
                f"{damages[0].name} {damages[0].problem}; no row was removed",
                advice="Restore another backup: catalog-ring backup --verify PLACE says which are "
                "whole.",
            )

    async def _refuse_rows(self, context: Context, view: RingView) -> list[Refusal]:
        begun = await begun_restores(context, mapped_nodes(view))
        if self._manifest.name in begun or self._replace:
            return []
        held = [table.full_name for table in await self._tables_with_rows(context, view)]
        if not held:
            return []
        some = f"{', '.join(held[:3])}{', …' if len(held) > 3 else ''}"
        if begun:
            return [
                Refusal(
                    f"a restore of {', '.join(sorted(begun))} was begun and not ended",
                    "End it (--backup names it), or give up its rows: --replace",
                )
            ]
        return [
            Refusal(
                f"{len(held)} tables have rows: {some}",
                "Restore into an empty ring, or give up these rows: --replace",
            )
        ]

    async def _refuse_missing(self) -> list[Refusal]:
        missing = await self._archive.missing(self._manifest)
        if not missing:
            return []
        return [
            Refusal(
                f"{self._archive.store.place} lacks {len(missing)} files of {self._manifest.name}",
                "Restore another backup: catalog-ring backup --verify PLACE says which are whole.",
            )
        ]

    async def _refuse_indexes(self, context: Context) -> list[Refusal]:
        """Refuse indexes that the backup does not have: they may have to be made anew."""
        refusals = []
        for keyspace in self._manifest.keyspaces:
            known = {part.name for part in keyspace.parts}
            for table, names in (await fetch_indexes(context, keyspace.name)).items():
                refusals += [
                    Refusal(
                        f"{keyspace.name}.{table} has the index {name}, which the backup has not",
                        "Drop it, and make it again afterwards (catalog-ring apply-schema).",
                    )
                    for name in names
                    if name not in known
                ]
        return refusals

    async def _truncate(self, context: Context, view: RingView) -> None:
        tables = await self._tables_with_rows(context, view)
        if tables and not self._replace:
            raise OperationError(
                f"{tables[0].full_name} has rows by now", advice="Who writes there? " + _AGAIN
            )
        if tables:
            await self._check_files(context)
        for table in tables:
            context.say(f"{'':>18} removing the rows of {table.full_name}")
            await context.reader.run_cql(
                f"TRUNCATE TABLE {table.full_name}", timeout_seconds=_TRUNCATE_SECONDS
            )

    async def _refuse_hosts(self, context: Context, view: RingView) -> list[Refusal]:
        refusals = []
        facts = {}
        nodes = mapped_nodes(view)
        needed = received_bytes(nodes, self._manifest, await self._replications(context, view))
        for node in nodes:
            try:
                host = context.host_at(node.address)
                facts[host.entry.name] = await host.read_facts()
            except (HostError, InventoryError) as error:
                refusals.append(Refusal(str(error), error.advice))
            else:
                refusals += refuse_disk(
                    host.entry.name, facts[host.entry.name], needed[node.host_id]
                )
        return refusals + refuse_clocks(facts)
