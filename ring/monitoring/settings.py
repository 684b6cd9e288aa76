"""Settings of the exporter."""

import math
from dataclasses import dataclass

from ring.settings import setting


@dataclass(frozen=True, slots=True)
class ExporterSettings:
    """Where the exporter listens, and how long it looks."""

    exporter_address: str = setting(
        "127.0.0.1", "address of the exporter; it asks nobody who calls"
    )
    exporter_port: int = setting(9180, "port of the exporter; 0 takes a free one")
    exporter_deadline_seconds: float = setting(
        10.0, "a page is answered within this, with what was told by then"
    )
    exporter_journal_days: int = setting(30, "how far back operations are shown")
    exporter_nginx: bool = setting(True, "whether there is an nginx of ours to be asked")

    def __post_init__(self) -> None:
        if not 0 <= self.exporter_port < 65_536:
            raise ValueError(f"CATALOG_EXPORTER_PORT={self.exporter_port}: between 0 and 65535")
        if not 1 <= self.exporter_deadline_seconds < math.inf:
            raise ValueError("CATALOG_EXPORTER_DEADLINE_SECONDS: at least 1")
        if self.exporter_journal_days < 1:
            raise ValueError("CATALOG_EXPORTER_JOURNAL_DAYS: at least 1")
