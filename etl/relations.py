"""The rows of all tables related: no orphans, one row a key, one union with what is stored."""

from typing import Final

from etl.kinds import Repair
from etl.stages import FLAGS, Stages, sql_text
from etl.tables import (
    ANSWERS,
    CHARACTERISTICS,
    PRODUCT,
    QUESTIONS,
    REVIEWS,
    STYLES,
    TABLES,
    Table,
)

_IDS: Final = {
    PRODUCT: "product_ids",
    STYLES: "style_ids",
    REVIEWS: "review_ids",
    CHARACTERISTICS: "characteristic_ids",
    QUESTIONS: "question_ids",
    ANSWERS: "answer_ids",
}
"""Views of the rows that others may name as their parents; see `etl.tables.Parent`."""


def relate(stages: Stages, present: tuple[Table, ...]) -> None:
    """Parents first: refuse orphans, let the last row of a key win, merge with stored rows."""
    for table in TABLES:
        step = f"relate {table.name}"
        if not stages.checkpoints.is_done(step):
            with stages.checkpoints.step(step):
                if table in present:
                    _refuse_orphans(stages, table)
                    _supersede(stages, table)
                _merge(stages, table)
    if not stages.checkpoints.is_done("notes"):
        with stages.checkpoints.step("notes"):
            stages.run("notes")


def _refuse_orphans(stages: Stages, table: Table) -> None:
    for parent in table.parents:
        stages.run(
            "orphans",
            table_clean=f"{table.name}_clean",
            column=parent.column,
            column_header=sql_text(table.header_of(parent.column)),
            parents=parent.ids,
            parent=parent.called + " ",
        )


def _supersede(stages: Stages, table: Table) -> None:
    repairs = sum(1 << place for place, kind in enumerate(FLAGS) if isinstance(kind, Repair))
    names: dict[str, object] = {"table_clean": f"{table.name}_clean", "repair_bits": repairs}
    # Most files are in the order of their keys, which is cheap to see; all else is not.
    ids_rise, places_rise = stages.run("steps", **names).fetchone() or (True, True)
    if not places_rise:
        stages.run("disorder", **names)
    stages.run("loaded", **names)
    if not ids_rise:
        stages.run("supersede", **names)


def _merge(stages: Stages, table: Table) -> None:
    """Leave `<table>_final`, the stored and the new rows, and the view of its ids."""
    names = {part: f"{table.name}_{part}" for part in ("clean", "owned", "final")}
    columns = [column.name for column in table.columns]
    common: dict[str, object] = {f"table_{part}": name for part, name in names.items()}
    if table.owner:
        parents = next(one.ids for one in table.parents if one.column == table.owner)
        stages.run("own", **common, table=table.name, column=table.owner, parents=parents)
        columns.append("product_id")
    stages.run("merge", **common, table=table.name, columns=", ".join(columns))
    if table is PRODUCT:
        stages.database.execute(
            "CREATE VIEW product_ids AS SELECT id FROM product_final"
            " UNION ALL SELECT id FROM stored_ids"
        )
    elif table in _IDS:
        stages.database.execute(
            f"CREATE VIEW {_IDS[table]} AS SELECT id, product_id FROM {names['final']}"  # noqa: S608, our own names
        )
