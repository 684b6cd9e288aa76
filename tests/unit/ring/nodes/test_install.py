import json
import os
from pathlib import Path

import pytest

from ring.nodes import install
from ring.nodes.errors import InstallError, MissingProgramError
from ring.nodes.install import VERSION, install_cassandra

# In place of Maven: writes two jars where it is told to, and counts how often it was asked.
MAVEN = """#!/bin/sh
echo x >> "{calls}"
for argument in "$@"; do
    case $argument in -DoutputDirectory=*) out=${{argument#*=}} ;; esac
done
mkdir -p "$out" && echo jar > "$out/cassandra-all-1.jar" && echo jar > "$out/other.jar"
{last}
"""


class Maven:
    """A `mvn` on PATH that does what a test needs."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._program = directory / "bin" / "mvn"
        self._calls = directory / "calls"
        self._program.parent.mkdir()
        self._calls.touch()
        self.ends_with("exit 0")
        monkeypatch.setenv("PATH", f"{self._program.parent}:{os.environ['PATH']}")

    def ends_with(self, line: str) -> None:
        """Say with which line of shell the program ends."""
        self._program.write_text(MAVEN.format(calls=self._calls, last=line))
        self._program.chmod(0o755)

    @property
    def calls(self) -> int:
        """How often it was run."""
        return len(self._calls.read_text().splitlines())


@pytest.fixture
def maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maven:
    """Maven, but without a network."""
    return Maven(tmp_path, monkeypatch)


def test_install_when_new_then_laid_out_as_a_tarball(tmp_path: Path, maven: Maven) -> None:
    """What ccm looks for is there: scripts that can be run, configuration, jars, the version."""
    target = tmp_path / "cassandra" / VERSION
    assert install_cassandra(target, java_home=tmp_path)
    assert maven.calls == 1
    assert (target / "0.version.txt").read_text().strip() == VERSION
    for script in ("cassandra", "nodetool", "cassandra.in.sh"):
        assert os.access(target / "bin" / script, os.X_OK)
    for file in ("cassandra.yaml", "cassandra-env.sh", "logback.xml", "logback-tools.xml"):
        assert (target / "conf" / file).is_file()
    assert (target / "lib" / "other.jar").is_file()
    assert [path.name for path in target.parent.iterdir() if path.is_dir()] == [VERSION]


def test_install_when_repeated_then_nothing_is_done(tmp_path: Path, maven: Maven) -> None:
    """A complete folder is left alone."""
    target = tmp_path / "cassandra" / VERSION
    install_cassandra(target, java_home=tmp_path)
    assert not install_cassandra(target, java_home=tmp_path)
    assert maven.calls == 1


@pytest.mark.parametrize("damage", ["cut jar", "missing jar", "missing script", "no manifest"])
def test_install_when_damaged_then_built_anew(tmp_path: Path, maven: Maven, damage: str) -> None:
    """A folder from which something is missing is not trusted."""
    target = tmp_path / "cassandra" / VERSION
    install_cassandra(target, java_home=tmp_path)
    match damage:
        case "cut jar":
            (target / "lib" / "other.jar").write_text("j")
        case "missing jar":
            (target / "lib" / "other.jar").unlink()
        case "missing script":
            (target / "bin" / "cassandra").unlink()
        case _:
            (target / "installed.json").write_text("{")
    assert install_cassandra(target, java_home=tmp_path)
    assert maven.calls == 2
    assert not install_cassandra(target, java_home=tmp_path)


def test_install_when_configuration_changed_then_copied_without_maven(
    tmp_path: Path, maven: Maven
) -> None:
    """New scripts and options reach an installation without fetching anything."""
    target = tmp_path / "cassandra" / VERSION
    install_cassandra(target, java_home=tmp_path)
    manifest = json.loads((target / "installed.json").read_text())
    (target / "installed.json").write_text(json.dumps({**manifest, "source": "older"}))
    (target / "conf" / "cassandra.yaml").write_text("older: yes\n")
    assert install_cassandra(target, java_home=tmp_path)
    assert "cluster_name" in (target / "conf" / "cassandra.yaml").read_text()
    assert maven.calls == 1


def test_install_when_maven_fails_then_error_with_its_words_and_nothing_left(
    tmp_path: Path, maven: Maven, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed installation leaves no folder that a later call could take for a whole one."""
    monkeypatch.setattr(install, "MAVEN_PAUSES_SECONDS", (0.0,))
    maven.ends_with("echo 'Could not resolve host: repo' >&2; exit 1")
    target = tmp_path / "cassandra" / VERSION
    with pytest.raises(InstallError, match="Could not resolve host") as caught:
        install_cassandra(target, java_home=tmp_path)
    assert caught.value.advice
    assert maven.calls == 2
    assert [path for path in target.parent.iterdir() if path.is_dir()] == []


def test_install_when_a_transfer_fails_once_then_maven_is_asked_again(
    tmp_path: Path, maven: Maven, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One failed transfer does not end an installation."""
    monkeypatch.setattr(install, "MAVEN_PAUSES_SECONDS", (0.0, 0.0))
    maven.ends_with(f'test "$(wc -l < {tmp_path}/calls)" -gt 1')
    assert install_cassandra(tmp_path / "cassandra" / VERSION, java_home=tmp_path)
    assert maven.calls == 2


def test_install_when_one_was_killed_then_its_remains_are_removed(
    tmp_path: Path, maven: Maven
) -> None:
    """Half a folder of an installation that was killed does not stay for ever."""
    target = tmp_path / "cassandra" / VERSION
    left = target.parent / f".{VERSION}.abc"
    left.mkdir(parents=True)
    install_cassandra(target, java_home=tmp_path)
    assert maven.calls == 1
    assert not left.exists()


def test_install_when_disk_is_full_then_error_before_anything(
    tmp_path: Path, maven: Maven, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too little space is told at once."""
    monkeypatch.setattr(install, "DISK_BYTES_NEEDED", 2**62)
    with pytest.raises(InstallError, match="MB free"):
        install_cassandra(tmp_path / "cassandra" / VERSION, java_home=tmp_path)
    assert maven.calls == 0


def test_install_when_there_is_no_maven_then_error_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Maven the error says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgramError) as caught:
        install_cassandra(tmp_path / "cassandra" / VERSION, java_home=tmp_path)
    assert "apt-get install maven" in caught.value.advice
