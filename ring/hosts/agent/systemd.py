"""A daemon as a systemd unit: it starts with the machine, and its output goes to the journal."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ring.hosts.agent.place import Place
from ring.hosts.agent.services import (
    ServiceError,
    ServicePlan,
    ServiceState,
    asked_path,
    read_asked,
    script_path,
)
from ring.hosts.agent.wire import write_whole
from ring.nodes.process import ProcessRecord

RUNNING: Final = Path("/run/systemd/system")
UNITS: Final = Path("/etc/systemd/system")
COMMAND_SECONDS: Final = 30.0
# Beyond what the caller waits for: systemd sends SIGKILL by itself.
STOP_SECONDS: Final = 180
JOURNAL_LINES: Final = 20


@dataclass(frozen=True, slots=True)
class SystemdService:
    """One unit, `RING-NAME.service`."""

    place: Place
    ring: str
    name: str

    @property
    def unit(self) -> str:
        """The unit's name."""
        return f"{self.ring}-{self.name}.service"

    def state(self) -> ServiceState:
        """Ask systemd."""
        shown = _systemctl("show", "--property=MainPID,Result,ExecMainStatus", self.unit)
        values = dict(line.partition("=")[::2] for line in shown.splitlines())
        pid = int(values.get("MainPID") or 0)
        process = ProcessRecord.of(pid) if pid else None
        ended = "" if process else f"{values.get('Result')}, {values.get('ExecMainStatus')}"
        return ServiceState(process, read_asked(self.place, self.name), ended)

    def start(self, plan: ServicePlan, asked: str) -> None:
        """Write the unit and start it, now and whenever the machine starts."""
        if self.state().process is not None:
            return
        write_whole(script_path(self.place, self.name), plan.script(self.place), mode=0o755)
        text = unit_text(plan, self.place, self.ring, pwd.getpwuid(os.geteuid()).pw_name)
        _write_unit(UNITS / self.unit, text)
        _systemctl("enable", "--quiet", self.unit)
        asked_path(self.place, self.name).write_text(asked, encoding="ascii")
        try:
            _systemctl("restart", self.unit)
        except ServiceError as error:
            raise ServiceError(
                f"{error}\n{_journal(self.unit)}".rstrip(), advice=f"journalctl -u {self.unit}"
            ) from error

    def stop(self, *, timeout_seconds: float) -> None:
        """Stop the unit, and do not start it with the machine."""
        if not (UNITS / self.unit).exists():
            return
        _systemctl("disable", "--quiet", self.unit)
        try:
            _systemctl("stop", self.unit, timeout_seconds=timeout_seconds)
        except subprocess.TimeoutExpired:
            _systemctl("kill", "--signal=KILL", self.unit)
            _systemctl("stop", self.unit)
        asked_path(self.place, self.name).unlink(missing_ok=True)


def systemd_is_ours() -> bool:
    """Whether systemd runs here and this account may tell it what to do."""
    if not RUNNING.is_dir():
        return False
    return os.geteuid() == 0 or (
        subprocess.run(
            ["sudo", "-n", "true"], capture_output=True, timeout=COMMAND_SECONDS, check=False
        ).returncode
        == 0
    )


def unit_text(plan: ServicePlan, place: Place, ring: str, user: str) -> str:
    """Return the unit of a service."""
    again = "on-failure" if plan.restart else "no"
    # `%` and `\\` mean something in a unit.
    script = str(script_path(place, plan.name)).replace("\\", "\\\\").replace("%", "%%")
    return "\n".join(
        (
            "[Unit]",
            f"Description={plan.name} of the ring {ring}",
            "Wants=network-online.target",
            "After=network-online.target",
            "StartLimitIntervalSec=0",
            "",
            "[Service]",
            "Type=exec",
            f"User={user}",
            f'ExecStart="{script}"',
            f"Restart={again}",
            "RestartSec=1",
            # What a JVM that was asked to end ends with.
            "SuccessExitStatus=143",
            f"TimeoutStopSec={STOP_SECONDS}",
            "LimitNOFILE=100000",
            "LimitMEMLOCK=infinity",
            "TasksMax=infinity",
            "",
            "[Install]",
            "WantedBy=multi-user.target",
            "",
        )
    )


def _write_unit(path: Path, text: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    _run(["tee", str(path)], text=text)
    _systemctl("daemon-reload")


def _journal(unit: str) -> str:
    return _run(["journalctl", "--no-pager", "--lines", str(JOURNAL_LINES), "--unit", unit])


def _systemctl(*arguments: str, timeout_seconds: float = COMMAND_SECONDS) -> str:
    return _run(["systemctl", *arguments], timeout_seconds=timeout_seconds)


def _run(command: list[str], *, text: str = "", timeout_seconds: float = COMMAND_SECONDS) -> str:
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    done = subprocess.run(
        [*as_root, *command],
        input=text,
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )
    if done.returncode != 0:
        raise ServiceError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
