"""Renders nginx's configuration from the addresses of the app servers: python -m nginx.render.

One template a file in `templates/`; placeholders are `@NAME@`, since `$` belongs to nginx. The
result needs no root: pid, logs and temporary files lie below the folder it is rendered into.
"""

import argparse
import ipaddress
import os
import re
import resource
import stat
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOM = Path(__file__).parent
MAIN_FILE = "nginx.conf"
# A failed app server is left alone this long. Asking a dead one again costs one refused connection
# that no client notices; a longer time would leave nobody to ask after all of them failed at once.
FAIL_SECONDS = 1
CONNECTIONS_WANTED = 4096
_PLACEHOLDER = re.compile(r"@([A-Z_]+)@")


class RenderError(Exception):
    """The configuration cannot be rendered from what was given; the message says why."""


@dataclass(frozen=True, slots=True)
class NginxPlan:
    """What nginx shall serve.

    Attributes:
        directory: receives `conf/`, `run/` and, unless `log_directory` says else, `log/`.
        app_servers: (address, port) of every app server; at least one.
        host, port: where clients come in.
        status_port: of `stub_status`, on 127.0.0.1.
    """

    directory: Path
    app_servers: tuple[tuple[str, int], ...]
    host: str = "127.0.0.1"
    port: int = 8000
    status_port: int = 8001
    log_directory: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what nginx would refuse, or what would end up as another directive."""
        if not self.app_servers:
            raise RenderError("nginx needs at least one app server")
        try:
            for address in (self.host, *(address for address, _ in self.app_servers)):
                ipaddress.ip_address(address)
        except ValueError as error:
            raise RenderError(f"not an IP address: {error}") from error
        for port in (self.port, self.status_port, *(port for _, port in self.app_servers)):
            if not 1 <= port <= 65_535:
                raise RenderError(f"port {port} is not between 1 and 65535")
        for path in (self.directory, ROOM):
            if set(str(path.absolute())) & set('"\\$\n'):
                raise RenderError(f'nginx cannot be given a path with one of " \\ $ in it: {path}')

    @property
    def main_file(self) -> Path:
        """The file that nginx is started with."""
        return self.directory / "conf" / MAIN_FILE

    @property
    def logs(self) -> Path:
        """Where nginx's logs are."""
        return self.log_directory or self.directory / "log"


def render(plan: NginxPlan) -> bool:
    """Write all configuration files; return whether any of them changed.

    Raises:
        RenderError: a template names a placeholder that nobody fills.
        OSError: a file cannot be written.
    """
    for folder in (plan.directory / "run", plan.logs, plan.main_file.parent):
        folder.mkdir(parents=True, exist_ok=True)
    values = _values(plan)
    changed = False
    for template in sorted((ROOM / "templates").glob("*.conf.in")):
        text = _fill(template.read_text(encoding="utf-8"), values, template.name)
        target = plan.main_file.with_name(template.name.removesuffix(".in"))
        if target.exists() and target.read_text(encoding="utf-8") == text:
            continue
        partial = target.with_name(f".{target.name}.partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(target)
        changed = True
    return changed


def _values(plan: NginxPlan) -> dict[str, str]:
    hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    open_files = 2 * CONNECTIONS_WANTED
    if hard_limit != resource.RLIM_INFINITY:
        open_files = min(open_files, hard_limit)
    return {
        "USER": _user_directive(),
        "OPEN_FILES": str(open_files),
        "CONNECTIONS": str(open_files // 2),
        "CONF": str(plan.main_file.parent.absolute()),
        "RUN": str((plan.directory / "run").absolute()),
        "LOG": str(plan.logs.absolute()),
        "STATIC": str((ROOM / "static").absolute()),
        "HOST": _bracketed(plan.host),
        "PORT": str(plan.port),
        "STATUS_PORT": str(plan.status_port),
        "SERVERS": "\n".join(_server_lines(plan.app_servers)),
    }


def _server_lines(app_servers: Iterable[tuple[str, int]]) -> list[str]:
    return [
        f"    server {_bracketed(address)}:{port} max_fails=1 fail_timeout={FAIL_SECONDS}s;"
        for address, port in app_servers
    ]


def _fill(text: str, values: dict[str, str], name: str) -> str:
    unknown = set(_PLACEHOLDER.findall(text)) - values.keys()
    if unknown:
        raise RenderError(f"{name}: nobody fills {', '.join(sorted(unknown))}")
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text)


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _user_directive() -> str:
    """Return who the workers run as when root starts nginx: nobody, if nobody can read pages."""
    if os.geteuid() != 0:
        return "# Started without root: workers run as whoever starts it."
    folders = [ROOM / "static", *(ROOM / "static").absolute().parents]
    if all(folder.stat().st_mode & stat.S_IXOTH for folder in folders):
        return "user nobody nogroup;"
    return "user root;  # the checkout lies where only root can read"


def main(arguments: Sequence[str] | None = None) -> int:
    """Render from the command line; print the file to start nginx with."""
    parser = argparse.ArgumentParser(prog="python -m nginx.render", description=__doc__)
    parser.add_argument("directory", type=Path, help="folder to render into")
    parser.add_argument("app_servers", nargs="+", metavar="ADDRESS:PORT", help="an app server")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on")
    parser.add_argument("--status-port", type=int, default=8001, help="port of stub_status")
    parser.add_argument("--log-directory", type=Path, help="folder of the logs (default: log/)")
    given = parser.parse_args(arguments)
    try:
        servers = tuple(_parse_server(text) for text in given.app_servers)
        plan = NginxPlan(
            given.directory,
            servers,
            host=given.host,
            port=given.port,
            status_port=given.status_port,
            log_directory=given.log_directory,
        )
        render(plan)
    except (RenderError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{plan.main_file}\n")
    return 0


def _parse_server(text: str) -> tuple[str, int]:
    address, separator, port = text.rpartition(":")
    if not separator or not port.isdigit():
        raise RenderError(f"{text!r} is not ADDRESS:PORT")
    return address.strip("[]"), int(port)


if __name__ == "__main__":
    sys.exit(main())
