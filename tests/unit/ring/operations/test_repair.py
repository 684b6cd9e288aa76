"""What is repaired, what is skipped, and where an interrupted repair goes on."""

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ring.operations import repair as repair_module
from ring.operations.errors import OperationError
from ring.operations.keyspaces import read_keyspaces
from ring.operations.repair import Repair, since, worth_repairing
from ring.operations.repairs import Repaired
from ring.operations.view import Membership, RingView
from tests.support.ring_views import address_of, host_id_of, node_of, reasons, view_of
from tests.support.scripted_hosts import ScriptedHost, as_host, keyspace_row, scripted_context

_BEGAN = dt.datetime(2026, 1, 2, 3, tzinfo=dt.UTC)
_ROWS = [
    keyspace_row("catalog", "NetworkTopologyStrategy", datacenter1=3),
    keyspace_row("other", "NetworkTopologyStrategy", datacenter1=1),
    keyspace_row("system_auth", "NetworkTopologyStrategy", datacenter1=3),
    keyspace_row("system_distributed", "SimpleStrategy", replication_factor=3),
]
_VIEW = view_of(node_of(1), node_of(2), node_of(3), factor=3)


def _repaired(number: int, keyspace: str, *, minutes: int = 1) -> Repaired:
    began = _BEGAN + dt.timedelta(minutes=minutes)
    return Repaired(host_id_of(number), keyspace, address_of(number), began, 5.0)


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the ring has noted: an unfinished run, and repairs."""
    noted: dict[str, Any] = {"note": None, "repaired": ()}

    async def fetch_unfinished(*_arguments: object) -> Mapping[str, Any] | None:
        note: Mapping[str, Any] | None = noted["note"]
        return note

    async def fetch_repairs(*_arguments: object) -> Sequence[Repaired]:
        repaired: Sequence[Repaired] = noted["repaired"]
        return repaired

    monkeypatch.setattr(repair_module, "fetch_unfinished", fetch_unfinished)
    monkeypatch.setattr(repair_module, "fetch_repairs", fetch_repairs)
    return noted


def _plan(repair: Repair, view: RingView = _VIEW) -> tuple[str, list[str]]:
    context = scripted_context(view, answers=lambda _cql: _ROWS)
    refused = reasons(asyncio.run(repair.refusals(context, view)))
    steps = repair.steps(context, view)
    assert {step.name for step in steps} <= set(Repair.step_names)
    return refused, [step.what for step in steps if not step.is_done(view)]


def _lines(plan: list[str]) -> list[str]:
    return [line.removeprefix("repair the primary ranges of ") for line in plan if "ranges" in line]


def test_keyspaces_when_worth_it_then_those_with_replicas() -> None:
    """Roles are worth it; histories and traces are not, unless they are asked for."""
    keyspaces = read_keyspaces(_ROWS)
    assert [one.name for one in worth_repairing(keyspaces)] == ["catalog", "system_auth"]
    assert [one.name for one in worth_repairing(keyspaces, "system_distributed")] == [
        "system_distributed"
    ]
    assert worth_repairing(keyspaces, "other") == []


def test_repair_when_all_then_one_nodes_ranges_after_the_others(records: dict[str, Any]) -> None:
    """Each range once: every node's primary ranges, one node at a time."""
    del records
    refused, plan = _plan(Repair([]))
    assert refused == ""
    assert _lines(plan) == [
        f"{address_of(number)} in {keyspace}"
        for number in (1, 2, 3)
        for keyspace in ("catalog", "system_auth")
    ]


def test_repair_when_named_then_only_those(records: dict[str, Any]) -> None:
    """A host, a keyspace, or both."""
    del records
    _, plan = _plan(Repair([as_host(ScriptedHost(2))], keyspace="catalog"))
    assert _lines(plan) == [f"{address_of(2)} in catalog"]


def test_repair_when_interrupted_then_what_it_has_repaired_is_done(records: dict[str, Any]) -> None:
    """What was repaired before that run began is repaired again."""
    records["note"] = {"began": _BEGAN.isoformat()}
    records["repaired"] = (
        _repaired(1, "catalog"),
        _repaired(1, "system_auth"),
        _repaired(2, "catalog", minutes=-5),
    )
    _, plan = _plan(Repair([]))
    assert _lines(plan) == [
        f"{address_of(2)} in catalog",
        f"{address_of(2)} in system_auth",
        f"{address_of(3)} in catalog",
        f"{address_of(3)} in system_auth",
    ]


def test_repairs_when_they_began_before_then_they_do_not_count() -> None:
    """A repair promises what was written before it began."""
    repaired = [_repaired(1, "catalog"), _repaired(2, "catalog", minutes=-1)]
    assert since(repaired, _BEGAN) == {(host_id_of(1), "catalog")}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"answers": False}, "127.0.0.3 is down"),
        ({"membership": Membership.JOINING}, "joining"),
        ({"version": "5.0.8"}, "2 versions"),
    ],
)
def test_repair_when_the_ring_is_not_well_then_refused(
    records: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    """Every replica takes part, in one version."""
    del records
    refused, _ = _plan(Repair([]), view_of(node_of(1), node_of(2), node_of(3, **changes)))
    assert words in refused


def test_repair_when_there_is_nothing_to_compare_then_refused(records: dict[str, Any]) -> None:
    """One replica of each row cannot differ from another."""
    del records
    refused, _ = _plan(Repair([], keyspace="other"))
    assert "has one replica of each row" in refused


def test_repair_when_a_host_has_no_node_then_refused(records: dict[str, Any]) -> None:
    """A host of the inventory need not be in the ring."""
    del records
    refused, _ = _plan(Repair([as_host(ScriptedHost(9))]))
    assert "127.0.0.9 is no node of the ring" in refused


@pytest.mark.parametrize("pending", [20, 21])
async def test_node_when_it_has_many_compactions_then_skipped_and_told(
    records: dict[str, Any], monkeypatch: pytest.MonkeyPatch, pending: int
) -> None:
    """It is told at the end, and the command fails: somebody has to come back."""
    del records
    called: list[str] = []

    async def repair_node(_context: object, address: str, _keyspace: str) -> None:
        called.append(address)

    monkeypatch.setattr(repair_module, "repair_node", repair_node)
    host = ScriptedHost(1)
    host.answers["compactionstats"] = lambda: f"pending tasks: {pending}\n- catalog.a: {pending}\n"
    context = scripted_context(_VIEW, hosts=[host], answers=lambda _cql: _ROWS)
    repair = Repair([as_host(host)], keyspace="catalog")
    await repair.refusals(context, _VIEW)
    _, one, last = repair.steps(context, _VIEW)
    await one.run()
    assert called == ([address_of(1)] if pending == 20 else [])
    if pending == 20:
        await last.run()
        return
    with pytest.raises(OperationError, match=r"127\.0\.0\.1 \(catalog\)"):
        await last.run()
