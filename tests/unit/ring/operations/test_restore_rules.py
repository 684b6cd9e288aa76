import dataclasses

import pytest

from ring.backups.manifest import BackedTable, SampledRow, SchemaPart
from ring.operations.backup_rows import describe_table
from ring.operations.backup_schema import schema_parts
from ring.operations.restore_check import TableCheck, expected_rows
from ring.operations.restore_preflight import received_bytes, refuse_older, refuse_unlike
from ring.operations.restore_schema import fitting_replication, repeatable
from ring.operations.row_samples import UNKNOWN, spans, writes_between
from ring.operations.view import RingView
from ring.token_ring import Replication
from tests.support.backups import manifest_of, table_named
from tests.support.ring_views import node_of

TABLE = table_named("rows")
KEY = ("catalog", "rows")


def _backed(**changes: object) -> BackedTable:
    backed = BackedTable(*KEY, ("k",), (), {"k": "int", "v": "int"}, 100, 0, may_expire=False)
    return dataclasses.replace(backed, **changes)  # type: ignore[arg-type]


def test_parts_when_a_table_is_described_then_without_its_id_and_with_dropped_columns() -> None:
    """A table made anew gets an id of its own; files may hold cells of dropped columns."""
    row = {
        "type": "table",
        "name": "t",
        "create_statement": "CREATE TABLE x.t (\n    k int PRIMARY KEY,\n    w int\n) WITH ID ="
        " 45de2d50-e61b-11f1-8f28-9dca1e5aa948\n    AND comment = 'a; b'\n    AND cdc = false;\n"
        "ALTER TABLE x.t DROP w USING TIMESTAMP 1795314026250000;",
    }
    created, altered = schema_parts(row)
    assert created.cql.endswith(") WITH comment = 'a; b'\n    AND cdc = false")
    assert altered == SchemaPart(
        "alter", "t", "ALTER TABLE x.t DROP w USING TIMESTAMP 1795314026250000"
    )
    assert list(schema_parts({**row, "type": "keyspace"})) == []


@pytest.mark.parametrize(
    ("cql", "again"),
    [
        ("CREATE TABLE x.t (", "CREATE TABLE IF NOT EXISTS x.t ("),
        ("CREATE CUSTOM INDEX i ON x.t", "CREATE CUSTOM INDEX IF NOT EXISTS i ON x.t"),
        ("CREATE TYPE x.y (", "CREATE TYPE IF NOT EXISTS x.y ("),
        ("ALTER TABLE x.t DROP w", "ALTER TABLE x.t DROP w"),
    ],
)
def test_statement_when_made_repeatable_then_it_passes_over_what_is_there(
    cql: str, again: str
) -> None:
    """A restore that was interrupted begins with the schema again."""
    assert repeatable(SchemaPart("any", "x", cql)) == again
    assert repeatable(SchemaPart("any", "x", again)) == again


@pytest.mark.parametrize(
    ("nodes", "factor", "expected"), [(1, 0, "1"), (2, 0, "2"), (5, 0, "3"), (5, 2, "2")]
)
def test_replication_when_made_then_it_fits_the_ring(
    nodes: int, factor: int, expected: str
) -> None:
    """Three, or one a node, unless somebody says otherwise."""
    view = RingView(nodes=tuple(node_of(number) for number in range(1, nodes + 1)))
    assert fitting_replication(view, factor) == {
        "class": "NetworkTopologyStrategy",
        "datacenter1": expected,
    }


@pytest.mark.parametrize(
    ("writes", "may_expire", "least", "most"),
    [
        pytest.param(0, False, 100, 100, id="nobody wrote: exact"),
        pytest.param(30, False, 70, 130, id="each write may have made or removed a row"),
        pytest.param(0, True, 0, 100, id="rows may have expired since"),
        pytest.param(None, False, 0, None, id="a node was started anew: nothing is known"),
    ],
)
def test_rows_when_expected_then_as_exact_as_the_backup_can_be(
    writes: int | None, *, may_expire: bool, least: int, most: int | None
) -> None:
    """No more is claimed than is known."""
    assert expected_rows(_backed(writes=writes, may_expire=may_expire)) == (least, most)


@pytest.mark.parametrize(
    ("rows", "wrong", "problem"),
    [
        (100, (), ""),
        (99, (), "rows: 99 rows, the backup says 100"),
        (101, (), "rows: 101 rows, the backup says 100"),
        (100, ("k = 7",), "rows: 1 of 5 sampled rows are missing or other, the first k = 7"),
    ],
)
def test_check_when_rows_or_samples_differ_then_it_says_so(
    rows: int, wrong: tuple[str, ...], problem: str
) -> None:
    """And nothing when they do not."""
    check = TableCheck("rows", rows, 100, 100, same=4, expired=0, wrong=wrong)
    assert check.problem == problem


def test_writes_when_a_node_was_started_anew_then_unknown() -> None:
    """Its count began at nothing; so does that of a node that came or went."""
    before = {KEY: {"a": 10, "b": 20}}
    assert writes_between(before, {KEY: {"a": 12, "b": 20}}, TABLE) == 2
    assert writes_between(before, before, TABLE) == 0
    assert writes_between(before, {KEY: {"a": 3, "b": 20}}, TABLE) is None
    assert writes_between(before, {KEY: {"a": 12}}, TABLE) is None


@pytest.mark.parametrize(
    ("changes", "expires_at", "may_expire"),
    [
        ({}, None, False),
        ({"time_to_live": 60}, None, True),
        ({}, 1e10, True),
        ({}, UNKNOWN, False),
        ({"cells": ()}, UNKNOWN, True),
    ],
)
def test_table_when_described_then_it_says_whether_rows_may_go_by_themselves(
    changes: dict[str, object], expires_at: float | None, *, may_expire: bool
) -> None:
    """By its schema, by a row that was seen to, or because nobody can tell."""
    table = table_named("rows", **changes)
    backed = describe_table(table, 1, [SampledRow({"k": "1"}, "aa", expires_at)], {}, {})
    assert backed.may_expire is may_expire


@pytest.mark.parametrize("count", [1, 3, 16])
def test_spans_when_taken_together_then_every_token_once(count: int) -> None:
    """Each begins above the end of the one before; no key has the lowest token."""
    found = list(spans(count))
    assert len(found) == count
    assert found[0][0] == -(2**63)
    assert found[-1][1] == 2**63 - 1
    assert [high for _, high in found[:-1]] == [low for low, _ in found[1:]]


def test_older_when_the_ring_runs_less_than_the_backup_then_refused() -> None:
    """It may not read the files; a newer one does."""
    manifest = manifest_of("1", {})
    older = RingView(nodes=(node_of(1, version="5.0.8"),))
    newer = RingView(nodes=(node_of(1, version="5.0.10"),))
    assert "5.0.9" in refuse_older(older, manifest)[0].reason
    assert refuse_older(newer, manifest) == []


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"types": {"k": "int"}}, ""),
        ({"types": {"k": "int", "new": "text"}}, ""),
        ({"types": {"k": "bigint"}}, "column k is bigint and not int"),
        ({"key": ("other",)}, "key is other and not k"),
        ({"clustering": ("k",)}, "key is k and not "),
    ],
)
def test_unlike_when_a_table_cannot_take_the_files_then_refused(
    changes: dict[str, object], word: str
) -> None:
    """A column more does no harm."""
    refusals = refuse_unlike([table_named("rows", **changes)], manifest_of("1", {}))
    assert [word in refusal.reason for refusal in refusals] == ([True] if word else [])


def test_bytes_when_received_then_everybodys_or_a_share() -> None:
    """Everything where all keep all, of a larger ring its share of what is streamed."""
    manifest = manifest_of("1", {"a" * 64: 900})
    one = [dataclasses.replace(manifest.nodes[0], host_id="new", tokens=(5,))]
    assert received_bytes(one, manifest, {"catalog": Replication({"dc1": 1})}) == {"new": 900}
    three = [
        dataclasses.replace(manifest.nodes[0], host_id=f"new{number}", tokens=(number,))
        for number in range(3)
    ]
    shares = received_bytes(three, manifest, {"catalog": Replication({"dc1": 1})})
    assert shares == {"new0": 300, "new1": 300, "new2": 300}
