"""Settings of the load."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ring.settings import load_settings, setting

_LEAST: Final = {
    "load_concurrency": 1,
    "load_min_concurrency": 1,
    "load_batch_rows": 1,
    "load_rows_per_second": 0,
    "load_slice_products": 1,
    "load_threads": 0,
}


@dataclass(frozen=True, slots=True)
class EtlSettings:
    """How much of the machine and of the ring a load may take."""

    load_memory_limit: str = setting("1GB", "memory of DuckDB; what exceeds it goes to disk")
    load_temp_directory: str = setting(
        "",
        "where the load keeps its database and copies, two to four times the unpacked files;"
        " empty: the system's",
    )
    load_threads: int = setting(0, "threads of DuckDB; 0: one per core")
    load_slice_products: int = setting(50_000, "products rendered at a time, by each core")
    load_concurrency: int = setting(
        128, "requests outstanding at the ring at the most, however prompt it is"
    )
    load_min_concurrency: int = setting(
        8, "writes outstanding at the ring at the least, however slow it is, and at the beginning"
    )
    load_batch_rows: int = setting(
        64,
        "rows for one replica that share a request at the most, as far as the nodes take them"
        " without a warning; 1: none do",
    )
    load_rows_per_second: int = setting(
        0, "rows sent in any second at the most, by --via driver; 0: no limit"
    )
    load_write_timeout_seconds: float = setting(10.0, "deadline of one attempt of one write")
    load_give_up_seconds: float = setting(
        600.0, "how long a write that no node takes is tried again before the load stops"
    )
    load_sstable_rows: int = setting(
        200_000, "from this many rows on a load writes SSTables, unless --via says otherwise"
    )
    load_staging_directory: str = setting(
        "", "where SSTables are staged, best on the nodes' file system; empty: beside the database"
    )
    load_heap_mib: int = setting(640, "heap of the program that writes SSTables")
    load_niceness: int = setting(
        10,
        "how far the load and its programs stand back where cores are short: 0 not at all, 19 most",
    )
    load_ready_timeout_seconds: float = setting(30.0, "how long to wait for the ring at the start")
    load_metrics_port: int = setting(
        0, "port that answers Prometheus while a load runs; 0: none does"
    )
    load_metrics_host: str = setting("127.0.0.1", "address that this port listens at")

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            if (value := getattr(self, name)) < least:
                raise ValueError(f"CATALOG_{name.upper()}={value}: at least {least}")
        if not 0 <= self.load_niceness <= 19:
            raise ValueError(f"CATALOG_LOAD_NICENESS={self.load_niceness}: 0 to 19")
        if not 0 <= self.load_metrics_port < 65536:
            raise ValueError(f"CATALOG_LOAD_METRICS_PORT={self.load_metrics_port}: 0 to 65535")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], **overrides: Any) -> "EtlSettings":
        """Load from the environment and the settings file."""
        return load_settings(cls, environ, **overrides)
