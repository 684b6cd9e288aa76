"""Gives staged SSTables to every replica, and remembers who has them.

A node whose files are on this machine takes hard links into its table, in milliseconds and without
a copy; any other gets a stream from Cassandra's own loader. What a node has confirmed is recorded
in `delivered.json`, so a delivery that was stopped, or that met a dead node, goes on where it was.
Given twice, SSTables change nothing: the cells and their timestamps are the same.
"""

import asyncio
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from etl.writers.java_process import run_java
from etl.writers.node_access import NodeAccess, fetch_ring, find_access
from etl.writers.sstable_program import IMPORTER, SstableProgram
from etl.writers.staging import Staged, StagingError
from ring import RingNode, RingSettings, RingState
from ring.nodes.bulk_loader import RingAccess

RECORD: Final = "delivered.json"
LINKS: Final = "links"
_IMPORTER_HEAP_MIB: Final = 64
# Links take milliseconds, copies as long as the disk needs; a node that is frozen takes for ever.
_IMPORT_SECONDS: Final = 900.0
_IMMUTABLE: Final = ("-Data.db", "-Partitions.db", "-Rows.db")


class TopologyChangedError(StagingError):
    """The ring is not the one that the SSTables were made for: they must be made anew."""


@dataclass(frozen=True, slots=True)
class Item:
    """One table of one target for one node."""

    host_id: str
    target: str
    table: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far a staging has come.

    Attributes:
        delivered: what nodes have confirmed.
        pending: host id of a node that still lacks something → why.
    """

    delivered: frozenset[Item]
    pending: dict[str, str]

    @property
    def complete(self) -> bool:
        """Whether every replica has everything."""
        return not self.pending


async def deliver(
    staged: Staged,
    program: SstableProgram,
    settings: RingSettings,
    *,
    say: Callable[[str], None] = lambda _line: None,
    stream_only: bool = False,
) -> Delivery:
    """Give what is not recorded as delivered to the nodes that answer; safe to repeat.

    No node may join or leave meanwhile: hold what forbids it.

    Args:
        staged: what to deliver.
        program: the Java program of `prepare_program`.
        settings: how to reach the ring.
        say: gets a line for each step.
        stream_only: stream also to nodes of this machine.

    Raises:
        TopologyChangedError: before, nothing was given; or meanwhile, see the message.
        RingUnavailableError: no contact point answers.
    """
    state = await fetch_ring(settings)
    if not staged.plan.target_plan.fits(state):
        raise TopologyChangedError("the ring has changed since the SSTables were written")
    delivered = read_record(staged.directory)
    missing = [item for item in _items(staged) if item not in delivered]
    hosts = {item.host_id for item in missing}
    wanted = [node for node in (*state.nodes, *state.remote_nodes) if node.host_id in hosts]
    answers, pending = await find_access(wanted, settings, stream_only=stream_only)
    for problem in pending.values():
        say(f"a node takes nothing now: {problem}")
    work = _Work(staged, program, settings, state, say, delivered, pending)
    await work.import_files([one for one in answers if one.data_directory], missing)
    await work.stream([one for one in answers if one.data_directory is None], missing)
    if not staged.plan.target_plan.fits(await fetch_ring(settings)):
        raise TopologyChangedError(
            "the ring changed while SSTables were delivered: new owners may lack rows"
        )
    return Delivery(frozenset(delivered), pending)


def read_record(directory: Path) -> set[Item]:
    """Return what was delivered of a staging folder."""
    try:
        content = json.loads((directory / RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return set()
    return {Item(*entry) for entry in content}


def write_record(directory: Path, delivered: set[Item]) -> None:
    """Write the record whole, to the disk itself."""
    entries = sorted((one.host_id, one.target, one.table) for one in delivered)
    partial = directory / f".{RECORD}.partial"
    with partial.open("w", encoding="utf-8") as file:
        json.dump(entries, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(directory / RECORD)


def _items(staged: Staged) -> list[Item]:
    targets = staged.plan.target_plan.targets
    return [
        Item(host, target, table)
        for table, rows in staged.tables.items()
        for target in rows.files
        for host in targets[target]
    ]


class _Work:
    """The steps of one delivery."""

    def __init__(
        self,
        staged: Staged,
        program: SstableProgram,
        settings: RingSettings,
        state: RingState,
        say: Callable[[str], None],
        delivered: set[Item],
        pending: dict[str, str],
    ) -> None:
        self._staged = staged
        self._program = program
        self._settings = settings
        self._state = state
        self._say = say
        self._delivered = delivered
        self._pending = pending

    async def import_files(self, nodes: Sequence[NodeAccess], missing: Sequence[Item]) -> None:
        """Link or copy into nodes of this machine, all in one JVM."""
        folders: dict[str, Item] = {}
        jobs = []
        for access in nodes:
            imports = []
            own = [item for item in missing if item.host_id == access.node.host_id]
            if problem := self._lacking_space(own, access):
                self._pending[access.node.host_id] = problem
                continue
            for item in own:
                folder, copy = await asyncio.to_thread(self._folder, item, access)
                if not any(folder.iterdir()):
                    # An earlier delivery was stopped between the node's answer and the record.
                    self._confirm(item)
                    continue
                folders[f"{item.host_id} {folder}"] = item
                imports.append(
                    {
                        "keyspace": self._staged.plan.keyspace,
                        "table": item.table,
                        "directory": str(folder),
                        "copy": copy,
                    }
                )
            if imports:
                host_id = access.node.host_id
                jobs.append({"host_id": host_id, "port": access.jmx_port, "imports": imports})
        if jobs:
            await self._run_importer(jobs, folders)

    def _lacking_space(self, items: Sequence[Item], access: NodeAccess) -> str:
        """Say that a node has no room for the copies it would make; empty when it has."""
        sizes = (
            sum(self._staged.tables[item.table].files[item.target].values())
            for item in items
            if not access.takes_links(self._staged.folder(item.target, item.table))
        )
        return access.lacking_space(sum(sizes))

    async def _run_importer(self, jobs: object, folders: dict[str, Item]) -> None:
        request = self._staged.directory / "import.json"
        request.write_text(json.dumps({"nodes": jobs}), encoding="utf-8")
        command = self._program.command(IMPORTER, str(request), heap_mib=_IMPORTER_HEAP_MIB)
        waiting = dict(folders)

        def on_line(line: str) -> None:
            event = json.loads(line)
            item = waiting.pop(f"{event['host_id']} {event['directory']}")
            if event["event"] == "imported":
                self._confirm(item)
            else:
                self._pending[item.host_id] = f"{item.table}: {event['problem']}"

        ended = await run_java(command, on_line, timeout_seconds=_IMPORT_SECONDS)
        for item in waiting.values():
            self._pending[item.host_id] = f"{item.table}: the import ended early: {ended.errors}"

    def _folder(self, item: Item, access: NodeAccess) -> tuple[Path, bool]:
        """Return the folder that a node shall import, and whether it must copy.

        The node moves what it imports, so each gets links of its own. They appear whole: a folder
        that is there and empty was imported.
        """
        source = self._staged.folder(item.target, item.table)
        if not access.takes_links(source):
            return source, True
        links = self._staged.directory / LINKS / item.host_id / item.target
        folder = links / self._staged.plan.keyspace / item.table
        if folder.is_dir():
            return folder, False
        partial = folder.with_name(f".{item.table}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for name in self._staged.tables[item.table].files[item.target]:
            if name.endswith(_IMMUTABLE):
                os.link(source / name, partial / name)
            else:
                # Small, and a node may write them anew.
                shutil.copy(source / name, partial / name)
        partial.rename(folder)
        return folder, False

    async def stream(self, nodes: Sequence[NodeAccess], missing: Sequence[Item]) -> None:
        """Stream each table once to all nodes that lack it."""
        access = {one.node.host_id: one for one in nodes}
        groups: dict[tuple[str, str], list[Item]] = {}
        for item in missing:
            if item.host_id in access:
                groups.setdefault((item.target, item.table), []).append(item)
        for (target, table), items in groups.items():
            takers = [access[item.host_id] for item in items]
            ended = await run_java(self._loader_command(target, table, takers), lambda _line: None)
            if ended.exit_code == 0:
                for item in items:
                    self._confirm(item)
            else:
                for item in items:
                    self._pending[item.host_id] = f"{table}: the stream failed: {ended.errors}"

    def _loader_command(self, target: str, table: str, takers: Sequence[NodeAccess]) -> list[str]:
        everyone: tuple[RingNode, ...] = (*self._state.nodes, *self._state.remote_nodes)
        hosts = {taker.node.host_id for taker in takers}
        others = [node.address for node in everyone if node.host_id not in hosts]
        access = RingAccess(
            contacts=tuple(taker.node.address for taker in takers),
            cql_port=takers[0].node.port,
            storage_port=takers[0].storage_port,
            username=self._settings.username,
            password=self._settings.read_password() if self._settings.username else "",
        )
        return self._program.loader_command(
            self._staged.folder(target, table),
            access,
            scratch=self._staged.directory,
            ignored=others,
        )

    def _confirm(self, item: Item) -> None:
        self._delivered.add(item)
        write_record(self._staged.directory, self._delivered)
        self._say(f"{item.table}: node {item.host_id} has it")
