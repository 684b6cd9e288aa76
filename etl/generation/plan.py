"""Which row gets which plant: the SQL that draws them, from the plants of the file."""

from importlib.resources import files
from string import Template
from typing import Final

from etl.generation.plants import plants_of
from etl.generation.shapes import Holds, Shape
from etl.kinds import Reject

EARLY_IDS: Final = 6000
"""Each kind of plant is placed once below this id; pairs of joined rows only so below it."""

_STALE: Final = {
    Holds.TEXT: "'Former ' || {field}",
    Holds.LONG_TEXT: "'Former ' || {field}",
    Holds.PRICE: "{field} + 1",
    Holds.INTEGER: "{field} + 1",
    Holds.QUANTITY: "{field} + 1",
    Holds.RATING: "6 - {field}",
    Holds.VALUE: "6 - {field}",
}


def read_sql(name: str) -> Template:
    """Return `etl/sql/<name>.sql`; its `$names` are filled in by the caller."""
    return Template(files("etl").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8"))


def plant_macros(shape: Shape, plants_per_million: int) -> str:
    """Return the SQL that makes `plant_of_<file>(id, place)`, a pure function of the id.

    `place` is the row's place among the early ones, NULL for others.
    """
    names = ", ".join(f"'{plant.name}'" for plant in plants_of(shape))
    kinds = len(plants_of(shape))
    return Template("""
        CREATE MACRO plant_of_$name(id, place) AS CASE
            WHEN $rate = 0 THEN NULL
            WHEN place % 20 = 0 AND place // 20 BETWEEN 1 AND $kinds
                THEN ([$names])[(place // 20)::INTEGER]
            WHEN dice(id, '$name dirty') % 1000000 < $rate
                THEN pick([$names], dice(id, '$name plant'))
        END;
    """).substitute(name=shape.name, rate=plants_per_million, kinds=kinds, names=names)


def product_macro(shape: Shape, *, dirty: bool) -> str:
    """Return the SQL that makes `product_is_loaded(id)`, for rows that name any product."""
    if not dirty:
        return "CREATE MACRO product_is_loaded(product_id) AS TRUE;"
    return Template("""
        CREATE MACRO product_is_loaded(product_id) AS
            product_id = getvariable('last_product_id')
            OR coalesce(plant_of_product(product_id, $place) NOT IN ($rejected), TRUE);
    """).substitute(place=_product_place("product_id"), rejected=_rejected(shape))


def plan_statement(shape: Shape, *, dirty: bool, last_id: int) -> str:
    """Return the SQL that makes `plan_<file>` from `raw_<file>`.

    Args:
        shape: the file.
        dirty: whether anything is planted at all.
        last_id: the row that ends the file, which stays as it is; -1 when it is not in this chunk.
    """
    if not dirty:
        return read_sql("generate_clean_plan").substitute(name=shape.name)
    is_product = shape.name == "product"
    return read_sql("generate_plan").substitute(
        name=shape.name,
        # The place of a product is its id, so that a product's plant follows from its id alone.
        place=_product_place("id") if is_product else "row_number() OVER (ORDER BY id)",
        early_ids=EARLY_IDS,
        can_join="has_next" if shape.one_line_rows else "TRUE",
        last_id=last_id,
        rejected_plants=_rejected(shape),
        stale_values=_stale_values(shape),
    )


def _product_place(field: str) -> str:
    return f"CASE WHEN {field} <= 1000 THEN {field} END"


def _rejected(shape: Shape) -> str:
    plants = plants_of(shape)
    return ", ".join(f"'{plant.name}'" for plant in plants if isinstance(plant.effect, Reject))


def _stale_values(shape: Shape) -> str:
    return "".join(
        f'{_STALE[column.holds].format(field=column.name)} AS "{column.name}", '
        for column in shape.columns
        if column.holds in _STALE
    )
