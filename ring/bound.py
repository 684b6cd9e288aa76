"""A statement of the catalogue as the nodes have prepared it."""

import dataclasses
import struct
from collections.abc import Sequence
from typing import Final

from ring.statements import Statement
from ring.transport import Prepared

_LENGTH: Final = struct.Struct(">i")
_LENGTH_AND_COUNT: Final = struct.Struct(">ii")


class Bound:
    """A statement and all of its frame's body but the values.

    Attributes:
        is_read: a SELECT; equal ones that wait together are read once.
        many: the prepared read of many keys, or None: then every key goes by itself.
    """

    __slots__ = (
        "head",
        "is_read",
        "many",
        "many_head",
        "many_tail",
        "prepared",
        "statement",
        "tail",
    )

    def __init__(self, statement: Statement, prepared: Prepared, many: Prepared | None) -> None:
        self.statement = statement
        self.prepared = prepared
        self.is_read = statement.cql.lstrip()[:6].upper() == "SELECT"
        self.head, self.tail = prepared.body_parts(
            statement.consistency, serial_consistency=statement.serial_consistency
        )
        self.many = None
        self.many_head = self.many_tail = b""
        if many is not None:
            # The key is only compared, so its bytes are left as they are.
            self.many = dataclasses.replace(many, decoders=(None, *many.decoders[1:]))
            self.many_head, self.many_tail = many.body_parts(statement.consistency)

    def __repr__(self) -> str:
        return f"<Bound {self.statement.name}>"

    def reads_as(self, other: "Bound") -> bool:
        """Whether frames and rows look the same by both."""
        return [_shape(one) for one in (self.prepared, self.many)] == [
            _shape(one) for one in (other.prepared, other.many)
        ]

    def renewed(self, prepared: Prepared) -> "Bound":
        """The same statement after a node has prepared it (or its read of many keys) once more."""
        if self.many is not None and prepared.cql == self.many.cql:
            return Bound(self.statement, self.prepared, prepared)
        return Bound(self.statement, prepared, self.many)

    def body(self, cells: bytes) -> bytes:
        """The body of an EXECUTE frame for these values."""
        return self.head + cells + self.tail

    def many_body(self, cells: Sequence[bytes]) -> bytes:
        """The body of an EXECUTE frame that reads many keys, each given as one cell."""
        elements = b"".join(cells)
        count = _LENGTH_AND_COUNT.pack(len(elements) + _LENGTH.size, len(cells))
        return self.many_head + count + elements + self.many_tail


def _shape(prepared: Prepared | None) -> tuple[object, ...] | None:
    if prepared is None:
        return None
    return (
        prepared.statement_id,
        prepared.result_metadata_id,
        prepared.column_names,
        prepared.encoders,
        prepared.decoders,
    )
