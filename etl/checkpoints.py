"""Steps of a load that are finished, kept in its database: the next run passes over them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The finished steps. A step and its mark are one transaction: a killed load leaves neither."""

    database: duckdb.DuckDBPyConnection

    def open(self) -> None:
        """Make the table, unless an earlier run has."""
        self.database.execute(
            "CREATE TABLE IF NOT EXISTS checkpoints (step VARCHAR PRIMARY KEY, told VARCHAR)"
        )

    def told(self, step: str) -> str | None:
        """Return what a finished step has left to be known; None: it is not finished."""
        row = self.database.execute("SELECT told FROM checkpoints WHERE step = ?", [step])
        found = row.fetchone()
        return None if found is None else str(found[0])

    def is_done(self, step: str) -> bool:
        """Whether an earlier run, or this one, has finished a step."""
        return self.told(step) is not None

    @contextmanager
    def step(self, name: str, told: str = "") -> Iterator[None]:
        """Run a step's statements, all or none of which will have been."""
        self.database.begin()
        try:
            yield
            self.database.execute("INSERT INTO checkpoints VALUES (?, ?)", [name, told])
            self.database.commit()
        except BaseException:
            _roll_back(self.database)
            raise


def _roll_back(database: duckdb.DuckDBPyConnection) -> None:
    try:
        database.rollback()
    except duckdb.Error:
        # The failure ended the transaction, or the connection; the step's own error is told.
        return
