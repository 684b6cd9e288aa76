"""What the load is told: where the catalog is, how much to ask of it, where to leave the record."""

import dataclasses
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from ring import RingSettings

READS_PER_SECOND: Final = 200.0
# Together the 50 writes a second; half of the rest is read back at QUORUM while the load goes on.
ROW_WRITES_PER_SECOND: Final = 40.0
PRODUCT_WRITES_PER_SECOND: Final = 10.0
ROW_READS_PER_SECOND: Final = 10.0
LONGEST_HOURS: Final = 6.0


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """The load of one run.

    Attributes:
        directory: of the record; the load writes nothing elsewhere.
        base_url: of nginx.
        contact_points, cql_port, keyspace: of the ring.
        data: folder of the CSV files that the catalog was loaded from.
        products: ids from 1 to this are read, and never changed.
        editor_key: changes products through the API.
        longest_seconds: after these it ends by itself, for nobody may be left to stop it.
    """

    directory: str
    base_url: str
    contact_points: tuple[str, ...]
    data: str
    products: int
    editor_key: str
    cql_port: int = 9042
    keyspace: str = "catalog"
    reads_per_second: float = READS_PER_SECOND
    row_writes_per_second: float = ROW_WRITES_PER_SECOND
    product_writes_per_second: float = PRODUCT_WRITES_PER_SECOND
    row_reads_per_second: float = ROW_READS_PER_SECOND
    longest_seconds: float = LONGEST_HOURS * 3600

    @classmethod
    def read(cls, file: Path) -> Self:
        """Return the plan in a file."""
        content = json.loads(file.read_text(encoding="utf-8"))
        return cls(**{**content, "contact_points": tuple(content["contact_points"])})

    def write(self, file: Path) -> None:
        """Write the plan to a file that only its owner reads: it holds a key."""
        file.touch(mode=0o600)
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")

    def scaled(self, share: float) -> Self:
        """Return the plan with a share of the load, for a machine that others use too."""
        return dataclasses.replace(
            self,
            reads_per_second=self.reads_per_second * share,
            row_writes_per_second=self.row_writes_per_second * share,
            product_writes_per_second=self.product_writes_per_second * share,
            row_reads_per_second=self.row_reads_per_second * share,
        )

    def ring_settings(self, *contact_points: str) -> RingSettings:
        """Return settings that reach the ring, through its contact points or others."""
        return RingSettings(
            contact_points=contact_points or self.contact_points,
            cql_port=self.cql_port,
            keyspace=self.keyspace,
            request_timeout_seconds=STATEMENT_SECONDS,
        )


# Longer than a user would wait: what a node may still do after it is of unknown outcome.
STATEMENT_SECONDS: Final = 5.0
