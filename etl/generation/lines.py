"""The lines of a file as one SQL query: how clean rows are written, and how planted ones are."""

from string import Template
from typing import Final

from etl.generation.look import Look
from etl.generation.plants import Plant, plants_of
from etl.generation.shapes import BOOLEANS, NULLABLE, TEXTS, Column, Holds, Shape

_CLEAN: Final = Template("SELECT $line AS line FROM plan_$name AS this")

_DIRTY: Final = Template("""
SELECT line FROM (
    SELECT position, id, $line AS line
    FROM plan_$name AS this WHERE plant IS NULL AND NOT absorbed
    UNION ALL
    SELECT this.position, this.id, $planted_line AS line
    FROM (SELECT *, dice(id, 'plant value') AS roll FROM plan_$name WHERE plant IS NOT NULL) AS this
    $with_following
)
ORDER BY position, id
""")

_WITH_FOLLOWING: Final = Template("""
LEFT JOIN (SELECT * FROM plan_$name WHERE absorbed) AS following
    ON this.plant = 'joined_rows' AND following.position = this.position
""")


def lines_query(shape: Shape, look: Look, *, dirty: bool) -> str:
    """Return the SQL that selects one VARCHAR a line, without its newline, in the file's order."""
    clean = _with_line_end(_row(shape, look, "this"), look)
    if not dirty:
        return _CLEAN.substitute(line=clean, name=shape.name)
    following = Template(_WITH_FOLLOWING.template) if shape.one_line_rows else Template("")
    return _DIRTY.substitute(
        line=clean,
        planted_line=_with_line_end(_planted_row(shape, look), look),
        name=shape.name,
        with_following=following.substitute(name=shape.name),
    )


def _with_line_end(line: str, look: Look) -> str:
    return f"{line} || chr(13)" if look.carriage_return else line


def _row(shape: Shape, look: Look, alias: str) -> str:
    return _joined(_fields(shape, look, alias), look)


def _fields(shape: Shape, look: Look, alias: str) -> dict[str, str]:
    return {column.name: _clean_field(shape, column, look, alias) for column in shape.columns}


def _joined(fields: dict[str, str], look: Look) -> str:
    """Return the SQL of a row of these fields, in the order of the file's header."""
    return " || ',' || ".join(_in_order(fields, look))


def _in_order(fields: dict[str, str], look: Look) -> list[str]:
    values = list(fields.values())
    if look.key_last:
        values = [*values[1:], values[0]]
    if look.extra_column:
        values.append("'import 7'")
    return values


def _clean_field(shape: Shape, column: Column, look: Look, alias: str) -> str:
    field = f'{alias}."{column.name}"'
    if column.holds in TEXTS:
        spreadsheet = shape.spreadsheet or (look.carriage_return and not shape.one_line_rows)
        written = f"quoted_where_needed({field})" if spreadsheet else f"quoted({field})"
    elif column.holds is Holds.DIGIT_BOOLEAN:
        written = f"{field}::INTEGER::VARCHAR"
    else:
        written = f"{field}::VARCHAR"
    return f"coalesce({written}, 'null')" if column.holds in NULLABLE else written


def _planted_row(shape: Shape, look: Look) -> str:
    """Return the SQL of a planted line: a case for each plant of lines, else its odd field."""
    plants = plants_of(shape)
    clean = _fields(shape, look, "this")
    fields = {
        column.name: _planted_field(column, clean[column.name], plants) for column in shape.columns
    }
    row = _joined(clean, look)
    line_end = "chr(13) || chr(10)" if look.carriage_return else "chr(10)"
    cases = {
        "too_few_fields": " || ',' || ".join(_in_order(clean, look)[:2]),
        # More than there are numbers that could be taken for one price with separators.
        "too_many_fields": f"{row} || ',surplus,surplus,surplus,surplus'",
        "blank_line": f"{row} || {line_end}",
    }
    if shape.cut_column is not None:
        cases["cut_quote"] = _cut(shape, clean, look)
    if shape.one_line_rows:
        cases["joined_rows"] = f"{row} || ',' || {_row(shape, look, 'following')}"
    whens = "\n".join(f"WHEN '{name}' THEN {line}" for name, line in cases.items())
    return f"CASE this.plant\n{whens}\nELSE {_joined(fields, look)}\nEND"


def _planted_field(column: Column, clean: str, plants: tuple[Plant, ...]) -> str:
    whens = "".join(
        f"WHEN '{plant.name}' THEN {plant.value.format(field=_typed(column))} "
        for plant in plants
        if plant.column == column.name and plant.value is not None
    )
    return f"CASE this.plant {whens}ELSE {clean} END" if whens else clean


def _typed(column: Column) -> str:
    field = f'this."{column.name}"'
    return f"({field})" if column.holds in BOOLEANS else field


def _cut(shape: Shape, clean: dict[str, str], look: Look) -> str:
    """Return the SQL of a line that ends in the middle of the quoted text of its cut column."""
    names = list(clean)
    values = _in_order(clean, look)
    if look.key_last:
        names = [*names[1:], names[0]]
    place = names.index(shape.cut_column or "")
    text = f"replace(coalesce(this.\"{shape.cut_column}\", 'lost'), '\"', '')"
    return " || ',' || ".join(
        [*values[:place], f"'\"' || left({text}, 1 + length({text})::INTEGER // 2)"]
    )
