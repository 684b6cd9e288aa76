"""What is copied to hosts."""

from pathlib import Path

import pytest

from ring.hosts.packed import pack_app, pack_cassandra
from ring.nodes.errors import InstallError


def _folder(root: Path) -> Path:
    for name, text in {"bin/cassandra": "run", "conf/a.yaml": "a", "lib/x.jar": "xx"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="ascii")
    (root / "bin" / "cassandra").chmod(0o755)
    (root / "0.version.txt").write_text("5.0.9\n", encoding="ascii")
    (root / "installed.json").write_text("{}", encoding="ascii")
    (root / "logs").mkdir()
    (root / "logs" / "system.log").write_text("of a run", encoding="ascii")
    return root


def test_cassandra_when_packed_then_programs_configuration_and_jars(tmp_path: Path) -> None:
    """What a run has left there stays here."""
    packed = pack_cassandra(_folder(tmp_path), "5.0.9")
    assert [(path, mode) for path, mode, _, _ in packed.entries] == [
        ("0.version.txt", 0o644),
        ("bin/cassandra", 0o755),
        ("conf/a.yaml", 0o644),
        ("lib/x.jar", 0o644),
    ]
    assert packed.name.startswith("5.0.9-")


def test_name_when_a_file_changes_then_it_is_another(tmp_path: Path) -> None:
    """Two contents of one version lie side by side; the same content has one name."""
    folder = _folder(tmp_path)
    name = pack_cassandra(folder, "5.0.9").name
    assert pack_cassandra(folder, "5.0.9").name == name
    (folder / "conf" / "a.yaml").write_text("b", encoding="ascii")
    assert pack_cassandra(folder, "5.0.9").name != name


def test_cassandra_when_the_folder_is_none_then_it_is_refused(tmp_path: Path) -> None:
    """Rather than to bring nothing."""
    with pytest.raises(InstallError, match="has no bin/cassandra"):
        pack_cassandra(tmp_path, "5.0.9")


def test_app_when_packed_then_with_what_it_imports_and_no_more() -> None:
    """Not the tools of this checkout: they have no business on a host."""
    paths = {path for path, _, _, _ in pack_app().entries}
    packages = {path.split("/")[0] for path in paths}
    assert packages >= {"catalog_api", "schema", "ring", "nginx", "aiohttp", "cassandra", "yarl"}
    assert not packages & {"etl", "tests", "benchmarks", "duckdb", "ccmlib", "pytest", "mypy"}
    assert "nginx/templates/nginx.conf.in" in paths
    assert not [path for path in paths if "__pycache__" in path or path.startswith(("/", ".."))]
