"""Statements: CQL with a name, a consistency level and a word on idempotence.

The catalogue of the project's statements is `schema/statements.py`. The client prepares what it is
opened with and refuses any other name, so that no statement runs at a level that nobody chose.
"""

from dataclasses import dataclass
from enum import IntEnum


class Consistency(IntEnum):
    """Consistency levels with their numbers in the native protocol (v4, section 3)."""

    ANY = 0x00
    ONE = 0x01
    TWO = 0x02
    THREE = 0x03
    QUORUM = 0x04
    ALL = 0x05
    LOCAL_QUORUM = 0x06
    EACH_QUORUM = 0x07
    SERIAL = 0x08
    LOCAL_SERIAL = 0x09
    LOCAL_ONE = 0x0A


@dataclass(frozen=True, slots=True)
class Statement:
    """One prepared statement of the project.

    Attributes:
        name: how the client finds it; `<verb>_<what>`.
        cql: with `?` for values; table names are unqualified, the connection's keyspace is used.
        consistency: the level at which it runs, always.
        idempotent: whether running it twice leaves what running it once leaves. Only then may it
            be retried or speculatively sent to a second node.
        serial_consistency: for lightweight transactions.
        many_cql: the same read for many keys (`… WHERE key IN ?`): its first column is the
            partition key, the others are those of `cql`. With it, reads that wait together go
            together. Only for reads whose one value is a partition key of one column; a bound on
            rows is PER PARTITION LIMIT here.
    """

    name: str
    cql: str
    consistency: Consistency
    idempotent: bool
    serial_consistency: Consistency | None = None
    many_cql: str | None = None
