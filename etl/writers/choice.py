"""Which writer a load takes."""

import asyncio
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from etl.datasets import Family
from etl.errors import UsageError
from etl.progress import Progress
from etl.settings import EtlSettings
from etl.stages import Stages
from etl.writers.driver import DriverWriter
from etl.writers.offline import OfflineWriter
from etl.writers.patient import PatientRing
from etl.writers.sstable_program import SstableProgram, prepare_program
from etl.writers.staging import StagingError
from etl.writers.writer_process import WriterLimits
from ring import RingSettings
from ring.nodes.errors import NodesError
from ring.nodes.settings import StackSettings

_PROGRAMS: Final = "sstable-programs"


class Via(StrEnum):
    """What `--via` takes."""

    AUTO = "auto"
    SSTABLE = "sstable"
    DRIVER = "driver"


class RowWriter(Protocol):
    """Writes every row of some families; what it is called again for changes nothing."""

    name: str

    def figures(self) -> Mapping[str, object]:
        """What the report tells of this writer, in types that JSON has; asked at any time."""
        ...

    async def write(self, stages: Stages, families: tuple[Family, ...]) -> None:
        """Render and write all rows; see the writers for what they raise."""
        ...


async def choose_writer(
    via: Via,
    rows: int,
    *,
    ring: PatientRing,
    ring_settings: RingSettings,
    settings: EtlSettings,
    progress: Progress,
    as_of_microseconds: int,
    staging: Path,
) -> RowWriter:
    """Return the writer that was asked for.

    `auto` is `sstable` from `load_sstable_rows` rows on, where this machine has Java and the files
    of Cassandra (as `make up` installs them), else `driver`.

    Raises:
        UsageError: SSTables were asked for and cannot be made here.
    """
    driver = DriverWriter(ring, progress, as_of_microseconds)
    if via is Via.DRIVER or (via is Via.AUTO and rows < settings.load_sstable_rows):
        return driver
    try:
        program = await asyncio.to_thread(_program, os.environ)
    except (NodesError, StagingError) as error:
        if via is Via.SSTABLE:
            raise UsageError(f"--via sstable: {error}") from error
        progress.say(f"through the driver, because SSTables cannot be made here: {error}")
        return driver
    return OfflineWriter(
        program,
        ring_settings,
        staging,
        progress,
        as_of_microseconds,
        WriterLimits(heap_mib=settings.load_heap_mib, workers=settings.load_threads),
        settings.load_give_up_seconds,
    )


def _program(environ: Mapping[str, str]) -> SstableProgram:
    stack = StackSettings.from_environ(environ)
    return prepare_program(stack.install_directory, stack.state / _PROGRAMS)
