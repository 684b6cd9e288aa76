import sys
import time
from pathlib import Path

import pytest

from ring.nodes.errors import StageError
from ring.nodes.service import Service, inherited_environment

LISTENER = """
import pathlib, sys, time
print("hello from the service", flush=True)
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""


def make(tmp_path: Path, code: str, **environ: str) -> Service:
    """Return a service that runs Python code with a path to touch when it is ready."""
    return Service(
        name="one",
        command=(sys.executable, "-c", code, str(tmp_path / "ready")),
        environ={**inherited_environment(), **environ},
        directory=tmp_path,
        state=tmp_path / "state",
    )


def password(text: str) -> dict[str, str]:
    """Return the environment of secrets."""
    return {"CATALOG_PASSWORD": text, "CATALOG_SESSION_SECRET": text}


def test_service_when_started_then_found_by_another_object_and_stopped(tmp_path: Path) -> None:
    """A later command finds the process by its record, and stops it."""
    service = make(tmp_path, LISTENER)
    service.start(answers=(tmp_path / "ready").exists, timeout_seconds=20)
    again = make(tmp_path, LISTENER)
    assert again.process() is not None
    assert again.runs_as_asked()
    assert "hello from the service" in service.log_file.read_text(encoding="utf-8")
    assert again.stop()
    assert service.process() is None
    assert not service.pid_file.exists()
    assert not again.stop()


def test_service_when_asked_with_other_settings_then_not_as_asked(tmp_path: Path) -> None:
    """Another setting or command is noticed; another password is not written down to compare."""
    service = make(tmp_path, LISTENER, CATALOG_KEYSPACE="a", **password("p"))
    service.start(answers=(tmp_path / "ready").exists, timeout_seconds=20)
    try:
        assert make(tmp_path, LISTENER, CATALOG_KEYSPACE="a", **password("q")).runs_as_asked()
        assert not make(tmp_path, LISTENER, CATALOG_KEYSPACE="b", **password("p")).runs_as_asked()
        assert not make(tmp_path, LISTENER + " ", CATALOG_KEYSPACE="a").runs_as_asked()
    finally:
        service.stop()


def test_service_when_it_ends_at_once_then_error_with_its_last_words(tmp_path: Path) -> None:
    """The error shows what the process said, of this start only."""
    service = make(tmp_path, "raise SystemExit('no disk today')")
    service.log_file.parent.mkdir(parents=True)
    service.log_file.write_text("old words\n", encoding="utf-8")
    with pytest.raises(StageError, match="one ended while starting\nno disk today") as caught:
        service.start(answers=lambda: False, timeout_seconds=20)
    assert "old words" not in str(caught.value)
    assert service.process() is None


def test_service_when_it_never_answers_then_stopped_at_the_deadline(tmp_path: Path) -> None:
    """What does not come up in time is not left running."""
    service = make(tmp_path, LISTENER)
    started = time.monotonic()
    with pytest.raises(StageError, match="not up after 1 s"):
        service.start(answers=lambda: False, timeout_seconds=1)
    assert time.monotonic() - started < 15
    assert service.process() is None
    assert not service.pid_file.exists()


def test_service_when_start_is_interrupted_then_stopped(tmp_path: Path) -> None:
    """Ctrl-C while waiting leaves no process."""
    service = make(tmp_path, LISTENER)

    def interrupt() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        service.start(answers=interrupt, timeout_seconds=20)
    assert service.process() is None
