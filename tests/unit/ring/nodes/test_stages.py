import io
import re

import pytest

from ring.nodes.errors import InstallError, StageError
from ring.nodes.stages import Stages


def test_stage_when_it_ends_then_says_what_and_how_long() -> None:
    """Each stage says what it does, what came of it and the time it took."""
    out = io.StringIO()
    with Stages(out).stage("schema", "keyspace catalog") as stage:
        stage.done("in place")
    assert re.fullmatch(
        r"schema     keyspace catalog\n           in place \(\d+\.\d s\)\n", out.getvalue()
    )


def test_stage_when_it_fails_then_error_names_it_and_keeps_the_advice() -> None:
    """The stage's name stands before the reason; what to do is not lost."""
    error = InstallError("no answer", advice="Check the network.")
    with (
        pytest.raises(StageError, match="Cassandra: no answer") as caught,
        Stages(io.StringIO()).stage("Cassandra", "5.0.9"),
    ):
        raise error
    assert caught.value.advice == "Check the network."
    assert caught.value.__cause__ is error


def test_stage_when_the_disk_fails_then_an_error_of_ours() -> None:
    """No stage ends in a stack trace because a file could not be written."""
    with (
        pytest.raises(StageError, match="No space left"),
        Stages(io.StringIO()).stage("data", "x"),
    ):
        raise OSError(28, "No space left on device")
