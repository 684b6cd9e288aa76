"""The account that a load of the set must come to: counted from the plan, never from the lines."""

from collections import Counter
from dataclasses import dataclass, field
from string import Template
from typing import Any, Final

import duckdb

from etl.generation.look import Look
from etl.generation.plan import read_sql
from etl.generation.plants import Plant, plants_of
from etl.generation.shapes import NULLABLE, PRICES, TEXTS, Column, Holds, Shape
from etl.kinds import Note, Reject, Repair

EXTREME_PRICE: Final = 5_000_000

_PLANTED: Final = Template("""
    SELECT plant, eligible, count(*) FROM plan_$name WHERE NOT superseded GROUP BY ALL
""")
_SHOWN: Final = Template("SELECT $counts FROM plan_$name WHERE loaded")
_OUT_OF_ORDER: Final = Template("""
    SELECT count(*) FILTER (id < id_before) FROM (
        SELECT id, lag(id) OVER (ORDER BY position, id) AS id_before FROM plan_$name WHERE loaded
    )
""")


@dataclass(slots=True)
class Account:
    """The account of one file, summed over the chunks."""

    shape: Shape
    rows: int = 0
    orphaned: int = 0
    """Rows whose parent is rejected; they count as orphans though nothing is planted in them."""
    planted: Counter[str] = field(default_factory=Counter)
    notes: Counter[Note] = field(default_factory=Counter)

    def add_chunk(self, connection: duckdb.DuckDBPyConnection, *, dirty: bool) -> None:
        """Count the rows of `plan_<file>`, which holds one chunk."""
        name = self.shape.name
        for plant, eligible, rows in connection.execute(_PLANTED.substitute(name=name)).fetchall():
            self.rows += rows
            self.orphaned += 0 if eligible else rows
            if plant is not None:
                self.planted[plant] += rows
        self._add_shown(connection)
        if dirty:
            query = _OUT_OF_ORDER.substitute(name=name)
            self.notes[Note.OUT_OF_ORDER] += _first_row(connection, query)[0]

    def add_relations(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Count what shows only beside other rows of the chunk; its children must be planned."""
        query = read_sql(f"generate_notes_{self.shape.name}").substitute()
        for note, rows in connection.execute(query).fetchall():
            self.notes[Note(note)] += rows

    def _add_shown(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Count the notes that one row shows by itself, planted or natural."""
        shown = {note: condition for note in Note if (condition := _shows(self.shape, note))}
        if not shown:
            return
        counts = ", ".join(f"count(*) FILTER ({condition})" for condition in shown.values())
        query = _SHOWN.substitute(counts=counts, name=self.shape.name)
        for note, rows in zip(shown, _first_row(connection, query), strict=True):
            self.notes[note] += rows

    def as_manifest(self, look: Look, byte_count: int) -> dict[str, Any]:
        """Return the file's part of the manifest; kinds that do not occur are left out."""
        effects = {plant.name: plant.effect for plant in plants_of(self.shape)}
        repaired: Counter[str] = Counter()
        rejected: Counter[str] = Counter({Reject.ORPHAN: self.orphaned})
        for plant, rows in self.planted.items():
            effect = effects[plant]
            if isinstance(effect, Repair):
                repaired[effect] += 2 * rows if effect is Repair.JOINED_ROWS else rows
            elif isinstance(effect, Reject):
                rejected[effect] += rows
        superseded = repaired[Repair.DUPLICATE_KEY]
        rows_in = self.rows + superseded
        lines = rows_in - self.planted["joined_rows"] + self.planted["blank_line"]
        return {
            "rows": rows_in,
            "loaded": rows_in - rejected.total(),
            "stored": rows_in - rejected.total() - superseded,
            "repaired": _without_zeros(repaired),
            "rejected": _without_zeros(rejected),
            "notes": _without_zeros(self.notes) | look.notes(self.shape, lines),
            "planted": _without_zeros(self.planted),
            "orphaned_by_rejected_parents": self.orphaned,
            "bytes": byte_count,
            "header": look.header(self.shape),
        }


def _without_zeros(counts: Counter[Any]) -> dict[str, int]:
    return {str(kind): counts[kind] for kind in sorted(counts) if counts[kind]}


def _first_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None, "an aggregate without groups has one row"  # noqa: S101
    return row


def _shows(shape: Shape, note: Note) -> str:
    """Return the condition under which a loaded row shows this note, "" where it never does."""
    plants = plants_of(shape)
    conditions = [
        f"({natural} AND coalesce(plant NOT IN ({_names(odd)}), TRUE))"
        if (odd := [plant for plant in plants if plant.column == column.name])
        else natural
        for column in shape.columns
        if (natural := _natural(note, column))
    ]
    # Out of order is counted by comparing neighbours: not every move ends beside a higher id.
    planted = [plant for plant in plants if plant.effect is note and note is not Note.OUT_OF_ORDER]
    if planted:
        conditions.append(f"coalesce(plant IN ({_names(planted)}), FALSE)")
    return " OR ".join(conditions)


def _names(plants: list[Plant]) -> str:
    return ", ".join(f"'{plant.name}'" for plant in plants)


def _natural(note: Note, column: Column) -> str:
    """Return the condition under which a field that nothing is planted in shows this note."""
    if note is Note.NULL_WORD and column.holds in NULLABLE:
        return f'"{column.name}" IS NULL'
    if note is Note.ESCAPED_TEXT and column.holds in TEXTS:
        return f'coalesce(contains("{column.name}", \'"\'), FALSE)'
    if note is Note.EXTREME_VALUE and column.holds in PRICES:
        return f'coalesce("{column.name}" >= {EXTREME_PRICE}, FALSE)'
    if note is Note.EXTREME_VALUE and column.holds is Holds.QUANTITY:
        return f'"{column.name}" = 0'
    return ""
