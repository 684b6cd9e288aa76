"""How a daemon is started, as a script and as a systemd unit."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ring.hosts.agent.place import Place
from ring.hosts.agent.services import ServicePlan, fingerprint
from ring.hosts.agent.systemd import unit_text

PLAN = ServicePlan(
    "app", ("python3", "-m", "catalog_api"), {"B": "two words", "A": "$x"}, restart=True
)


def test_script_when_run_then_the_process_has_that_environment_only(tmp_path: Path) -> None:
    """Whatever is in a value reaches it as it is, in a folder of any name."""
    place = Place(tmp_path / "a 'place'")
    place.directory.mkdir()
    command = ("/usr/bin/env",)
    plan = ServicePlan("app", command, {"A": '$x `y` "z"', "B": "it's"}, restart=True)
    script = tmp_path / "script.sh"
    script.write_text(plan.script(place), encoding="utf-8")
    done = subprocess.run(["/bin/sh", str(script)], capture_output=True, text=True, check=True)
    told = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert told.pop("A") == '$x `y` "z"'
    assert told.pop("B") == "it's"
    # What `env` and the shell say of themselves.
    assert set(told) <= {"PWD", "_", "SHLVL"}


def test_fingerprint_when_a_secret_changes_then_it_does_and_does_not_hold_it(
    tmp_path: Path,
) -> None:
    """Only that it changed is in it."""
    secret = tmp_path / "secret"
    secret.write_text("one", encoding="ascii")
    before = fingerprint("script", [secret])
    assert fingerprint("script", [secret]) == before
    assert fingerprint("other", [secret]) != before
    secret.unlink()
    secret.write_text("two", encoding="ascii")
    assert fingerprint("script", [secret]) != before


def test_unit_when_written_then_it_says_when_to_start_again() -> None:
    """A node that ended is looked at first; an app server is started at once."""
    place = Place(Path("/srv/100% ours"))
    app = unit_text(PLAN, place, "shop", "sre")
    node = unit_text(ServicePlan("node", (), {}, restart=False), place, "shop", "sre")
    assert "Restart=on-failure" in app
    assert "Restart=no" in node
    assert "User=sre" in app
    assert 'ExecStart="/srv/100%% ours/run/app.sh"' in app


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_unit_when_systemd_reads_it_then_it_finds_no_fault(tmp_path: Path) -> None:
    """Every line is one that it knows."""
    place = Place(tmp_path)
    script = tmp_path / "run" / "app.sh"
    script.parent.mkdir()
    script.write_text(PLAN.script(place), encoding="utf-8")
    script.chmod(0o755)
    unit = tmp_path / "shop-app.service"
    unit.write_text(unit_text(PLAN, place, "shop", "root"), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert str(unit.name) not in done.stderr
    assert done.returncode == 0
