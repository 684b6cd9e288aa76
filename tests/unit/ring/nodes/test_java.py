from pathlib import Path

import pytest

from ring.nodes import java
from ring.nodes.errors import MissingProgramError
from ring.nodes.java import find_java_home, java_version


def make_java(directory: Path, version: str) -> Path:
    """Make a folder with a `java` that says it is of some version."""
    program = directory / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n")
    program.chmod(0o755)
    return directory


@pytest.mark.parametrize(
    ("said", "version"), [("17.0.15", 17), ("21", 21), ("1.8.0_402", 8), ("11.0.2", 11)]
)
def test_version_when_java_says_it_then_read(tmp_path: Path, said: str, version: int) -> None:
    """Old and new ways of counting are both understood."""
    assert java_version(make_java(tmp_path / "jdk", said)) == version


def test_version_when_there_is_no_java_then_none(tmp_path: Path) -> None:
    """A folder without Java, or with something that is none, has no version."""
    assert java_version(tmp_path) is None
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho something else\n")
    program.chmod(0o755)
    assert java_version(tmp_path) is None


def test_java_home_when_set_to_17_then_taken_before_path(tmp_path: Path) -> None:
    """JAVA_HOME comes first."""
    home = make_java(tmp_path / "mine", "17.0.1")
    on_path = make_java(tmp_path / "path", "17.0.2")
    environ = {"JAVA_HOME": str(home), "PATH": str(on_path / "bin")}
    assert find_java_home(environ) == home


def test_java_home_when_another_version_then_passed_over(tmp_path: Path) -> None:
    """A newer Java in front does not hide the one that Cassandra can run on."""
    other = make_java(tmp_path / "21", "21.0.2")
    on_path = make_java(tmp_path / "17", "17.0.2")
    environ = {"JAVA_HOME": str(other), "PATH": str(on_path / "bin")}
    assert find_java_home(environ) == on_path


def test_java_home_when_no_17_anywhere_then_error_names_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the versions found and what to install."""
    other = make_java(tmp_path / "21", "21.0.2")
    monkeypatch.setattr(java, "JAVA_VERSION", 99)
    with pytest.raises(MissingProgramError, match="is Java 21") as caught:
        find_java_home({"PATH": str(other / "bin")})
    assert "openjdk-17-jre-headless" in caught.value.advice
