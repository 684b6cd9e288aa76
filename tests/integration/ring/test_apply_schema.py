"""A schema is applied while the nodes of a ring know different versions of it."""

import asyncio
from pathlib import Path
from uuid import UUID

import pytest

from ring import RingSchemaError
from ring.apply_schema import apply_schema
from tests.support.scripted_node import ScriptedNode
from tests.support.scripted_ring import settings_of

OLDER = UUID(int=7)


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    """A keyspace and no tables."""
    (tmp_path / "keyspace.cql").write_text("CREATE KEYSPACE IF NOT EXISTS {keyspace};")
    return tmp_path


async def test_apply_when_a_node_is_down_then_it_is_not_waited_for(
    nodes: list[ScriptedNode], schema: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It learns the schema when it starts; the others agree."""
    down = nodes[2]
    down.schema_version = OLDER
    await down.stop()
    await apply_schema(settings_of(nodes), schema, timeout_seconds=5.0)
    assert f"down, it will learn the schema when it starts: {down.address}" in caplog.text


async def test_apply_when_a_node_answers_with_an_older_version_then_it_is_waited_for(
    nodes: list[ScriptedNode], schema: Path
) -> None:
    """The call ends when the slowest node that is up has the schema."""
    slow = nodes[1]
    slow.schema_version = OLDER
    applying = asyncio.create_task(apply_schema(settings_of(nodes), schema, timeout_seconds=5.0))
    await asyncio.sleep(0.5)
    assert not applying.done()
    slow.schema_version = nodes[0].schema_version
    await applying


async def test_apply_when_nodes_never_agree_then_error_says_so(
    nodes: list[ScriptedNode], schema: Path
) -> None:
    """A node that is up and stays behind is told of, in time."""
    nodes[1].schema_version = OLDER
    with pytest.raises(RingSchemaError, match="2 schema versions"):
        await apply_schema(settings_of(nodes), schema, timeout_seconds=0.5)
