from pathlib import Path

import pytest

from ring.nodes.errors import LockedError
from ring.nodes.locks import locked


def test_lock_when_held_then_refused_at_the_deadline_and_free_after(tmp_path: Path) -> None:
    """A second holder is refused with what the first one does; afterwards it is free."""
    path = tmp_path / "state" / "lock"
    with (
        locked(path, timeout_seconds=0, busy="first"),
        pytest.raises(LockedError, match="somebody loads"),
        locked(path, timeout_seconds=0.1, busy="somebody loads"),
    ):
        raise AssertionError
    with locked(path, timeout_seconds=0, busy="third"):
        pass
