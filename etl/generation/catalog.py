"""Making the files of a set, one chunk of products after the other."""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import duckdb

from etl.generation.account import Account
from etl.generation.lines import lines_query
from etl.generation.look import look_of
from etl.generation.plan import plan_statement, plant_macros, product_macro, read_sql
from etl.generation.shapes import PRODUCT, SHAPES, Shape
from etl.generation.spread import spread_macros
from etl.generation.staging import append_part, drop_final_newline

CHUNK_PRODUCTS: Final = 50_000
"""Products made at a time, which bounds the memory. A constant, because a moved row of a dirty set
stays within its chunk: another size would make other bytes."""

MEMORY_LIMIT: Final = "2GB"

_COPY: Final = Template("""
    COPY ($lines) TO '$part'
    (FORMAT csv, HEADER false, DELIMITER '\x01', QUOTE '', ESCAPE '', COMPRESSION none)
""")
_RELATIONS_COUNTED_AFTER: Final = {
    "skus": ("styles", "skus"),
    "related": ("product", "related"),
}
"""Relations between rows are counted once the last table that they need is planned."""
_DROPPED_AFTER: Final = {
    "skus": ("photos", "skus"),
    "related": ("features", "styles", "related"),
    "cart": ("cart",),
    "reviews_photos": ("reviews_photos",),
    "characteristic_reviews": ("reviews", "characteristics", "characteristic_reviews"),
    "questions": ("product",),
    "answers": ("questions",),
    "answers_photos": ("answers", "answers_photos"),
}
"""Each table is dropped as soon as nothing further is made from it."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to make; the same request makes the same bytes.

    Attributes:
        products: how many products there are.
        seed: any whole number from 0.
        plants_per_million: of a million rows whose parents are loaded, how many are made dirty.
        gap_every: of so many ids above 1,000, one is missing; 0 for none, else at least 2.
    """

    products: int
    seed: int
    plants_per_million: int
    gap_every: int

    @property
    def dirty(self) -> bool:
        """Whether anything is planted."""
        return self.plants_per_million > 0


Progress = Callable[[int, int], None]
"""Called after each chunk with the products and the rows made so far."""


class Generator:
    """Makes the files of one request in a staging directory; a context manager.

    Memory: `MEMORY_LIMIT`, whatever the number of products. Disk beside the files: one file's part
    of one chunk.
    """

    def __init__(self, request: Request, staging: Path, *, threads: int | None = None) -> None:
        self._request = request
        self._staging = staging
        self._looks = {
            shape.name: look_of(shape, seed=request.seed, dirty=request.dirty) for shape in SHAPES
        }
        self._accounts = {shape.name: Account(shape) for shape in SHAPES}
        self._rows_made: Counter[str] = Counter()
        config: dict[str, Any] = {
            "memory_limit": MEMORY_LIMIT,
            "preserve_insertion_order": True,
            "temp_directory": str(staging / "spill"),
        }
        self._connection = duckdb.connect(
            config=config if threads is None else config | {"threads": threads}
        )
        self._prepare()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self._connection.close()

    def _prepare(self) -> None:
        request = self._request
        self._set_variable("seed", request.seed)
        self._set_variable("gap_every", request.gap_every)
        self._set_variable("products", request.products)
        run = self._connection.execute
        run("SET enable_progress_bar = false")
        for name in ("generate_choices", "generate_vocabulary"):
            run(read_sql(name).substitute())
        run(spread_macros())
        for shape in SHAPES:
            run(plant_macros(shape, request.plants_per_million))
        self._set_variable("last_product_id", self.last_product_id())
        run(product_macro(PRODUCT, dirty=request.dirty))

    def _set_variable(self, name: str, value: int) -> None:
        self._connection.execute(f"SET VARIABLE {name} = ?", [value])

    def _number(self, query: str) -> int:
        row = self._connection.execute(query).fetchone()
        return int(row[0]) if row and row[0] is not None else -1

    def last_product_id(self) -> int:
        """Return the highest id of a product."""
        return self._number(f"SELECT spread_id({self._request.products}, 'product')")

    def write_files(self, progress: Progress) -> dict[str, dict[str, Any]]:
        """Write all files and return each one's part of the manifest, by the file's name."""
        with ExitStack() as stack:
            targets = {
                shape.name: stack.enter_context((self._staging / shape.file).open("wb"))
                for shape in SHAPES
            }
            for shape in SHAPES:
                self._write_header(shape, targets[shape.name])
            for start in range(1, self._request.products + 1, CHUNK_PRODUCTS):
                end = min(start + CHUNK_PRODUCTS, self._request.products + 1)
                self._write_chunk(start, end, targets)
                progress(end - 1, sum(account.rows for account in self._accounts.values()))
            return {shape.file: self._finish(shape, targets[shape.name]) for shape in SHAPES}

    def _write_header(self, shape: Shape, target: BinaryIO) -> None:
        look = self._looks[shape.name]
        mark = "\ufeff" if look.byte_order_mark else ""
        line_end = "\r\n" if look.carriage_return else "\n"
        target.write(f"{mark}{look.header(shape)}{line_end}".encode())

    def _write_chunk(self, start: int, end: int, targets: Mapping[str, BinaryIO]) -> None:
        """Write the products of the ordinals from `start` to before `end`, and their children."""
        self._set_variable("from_ordinal", start)
        self._set_variable("to_ordinal", end)
        for shape in SHAPES:
            self._set_variable(f"{shape.name}_start", self._rows_made[shape.name] + 1)
        for shape in SHAPES:
            self._plan(shape, is_last_chunk=end > self._request.products)
            self._write_part(shape, targets[shape.name])
            self._accounts[shape.name].add_chunk(self._connection, dirty=self._request.dirty)
            for counted in _RELATIONS_COUNTED_AFTER.get(shape.name, ()):
                self._accounts[counted].add_relations(self._connection)
            for dropped in _DROPPED_AFTER.get(shape.name, ()):
                self._drop(dropped)

    def _plan(self, shape: Shape, *, is_last_chunk: bool) -> None:
        dirty = self._request.dirty
        template = read_sql(f"generate_{shape.name}")
        self._connection.execute(template.substitute(_characteristics(dirty=dirty)))
        rows, last_id = (
            self._connection.table(f"raw_{shape.name}")
            .aggregate("count(*), coalesce(max(id), -1)")
            .fetchall()[0]
        )
        self._rows_made[shape.name] += rows
        last_id = last_id if is_last_chunk else -1
        self._connection.execute(plan_statement(shape, dirty=dirty, last_id=last_id))

    def _write_part(self, shape: Shape, target: BinaryIO) -> None:
        part = self._staging / "part"
        lines = lines_query(shape, self._looks[shape.name], dirty=self._request.dirty)
        self._connection.execute(_COPY.substitute(lines=lines, part=str(part).replace("'", "''")))
        append_part(part, target, dirty=self._request.dirty)
        part.unlink()

    def _drop(self, name: str) -> None:
        kind = "TABLE" if self._request.dirty else "VIEW"
        self._connection.execute(f"DROP {kind} plan_{name}")
        self._connection.execute(f"DROP TABLE raw_{name}")

    def _finish(self, shape: Shape, target: BinaryIO) -> dict[str, Any]:
        look = self._looks[shape.name]
        if look.no_final_newline:
            drop_final_newline(target, carriage_return=look.carriage_return)
        target.flush()
        return self._accounts[shape.name].as_manifest(look, target.tell())

    def manifest(self, files: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """Return the whole manifest."""
        return {
            "format": 1,
            "duckdb": duckdb.__version__,
            "request": asdict(self._request),
            "last_product_id": self.last_product_id(),
            "files": files,
        }


def _characteristics(*, dirty: bool) -> dict[str, str]:
    """Return what joins a characteristic's fate to its reviews; without dirt all are loaded."""
    if not dirty:
        return {"characteristic_is_loaded": "TRUE", "with_characteristics": ""}
    return {
        "characteristic_is_loaded": "named.loaded",
        "with_characteristics": (
            "JOIN plan_characteristics AS named"
            " ON named.ordinal = expanded.characteristic_ordinal AND NOT named.superseded"
        ),
    }
