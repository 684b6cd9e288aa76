"""Settings: environment over file over default; one loader for every program."""

import dataclasses
import math
import re
import ssl
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, get_args, get_origin

from ring.errors import RingSettingsError

PREFIX: Final = "CATALOG_"
FILE_VARIABLE: Final = "CATALOG_SETTINGS_FILE"

SettingsT = TypeVar("SettingsT")

_ABOVE_ZERO: Final = 1e-9
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})


def setting(default: Any, doc: str) -> Any:
    """Declare one field of a settings class, with the words that the README shows."""
    return dataclasses.field(default=default, metadata={"doc": doc})


def load_settings(
    cls: type[SettingsT],
    environ: Mapping[str, str],
    *,
    file: Path | None = None,
    **overrides: Any,
) -> SettingsT:
    """Build a frozen settings dataclass.

    Args:
        cls: a dataclass whose fields are made by `setting`.
        environ: usually `os.environ`; field `cql_port` is read from `CATALOG_CQL_PORT`.
        file: a TOML file of field names; `CATALOG_SETTINGS_FILE` when None.
        overrides: values given on a command line; None leaves the setting alone.

    Raises:
        RingSettingsError: a value that cannot be used, with the setting's name.
    """
    from_file = _read_file(file, environ)
    hints = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        variable = PREFIX + field.name.upper()
        if overrides.get(field.name) is not None:
            values[field.name] = overrides[field.name]
        elif environ.get(variable, "") != "":
            values[field.name] = _parse(environ[variable], hints[field.name], variable)
        elif field.name in from_file:
            values[field.name] = _parse(from_file[field.name], hints[field.name], field.name)
    try:
        return cls(**values)
    except ValueError as error:
        raise RingSettingsError(str(error)) from error


def describe_settings(cls: type[Any]) -> str:
    """What `--help` says of a settings class: a variable, its default and its meaning a line."""
    lines = [
        f"  {PREFIX}{field.name.upper()} ({field.default!r})\n      {field.metadata['doc']}"
        for field in dataclasses.fields(cls)
    ]
    return "\n".join(["settings (environment variable, default):", *lines])


def _read_file(file: Path | None, environ: Mapping[str, str]) -> dict[str, Any]:
    if file is None:
        name = environ.get(FILE_VARIABLE, "")
        if not name:
            return {}
        file = Path(name)
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RingSettingsError(f"settings file {file}: {error}") from error


def _parse(raw: Any, hint: Any, name: str) -> Any:
    """Turn text (or a TOML value) into the field's type."""
    if get_origin(hint) in (types.UnionType, typing.Union):
        hint = next(part for part in get_args(hint) if part is not type(None))
    try:
        if get_origin(hint) is tuple:
            parts = raw.split(",") if isinstance(raw, str) else raw
            return tuple(str(part).strip() for part in parts if str(part).strip())
        if hint is bool:
            return _parse_boolean(raw)
        return hint(raw)
    except (TypeError, ValueError) as error:
        raise RingSettingsError(f"{name}={raw!r}: {error}") from error


def _parse_boolean(raw: Any) -> bool:
    text = str(raw).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError("neither true nor false")


@dataclass(frozen=True, slots=True)
class RingSettings:
    """How to reach the ring and how to behave towards it."""

    contact_points: tuple[str, ...] = setting(
        ("127.0.0.1",), "addresses of nodes to learn the ring from, separated by commas"
    )
    cql_port: int = setting(9042, "port of the CQL native protocol on every contact point")
    keyspace: str = setting("catalog", "keyspace of all tables")
    local_datacenter: str = setting(
        "", "datacenter whose nodes serve requests; empty: that of the first contact point"
    )
    local_address: str = setting(
        "", "address of the node beside this server, asked first; empty: no preference"
    )
    username: str = setting("", "user name for Cassandra; empty: no authentication")
    password: str = dataclasses.field(
        default="", repr=False, metadata={"doc": "password, from the environment only"}
    )
    password_file: str = setting("", "file that holds the password; wins over the variable")
    tls_ca_file: str = setting("", "certificates of the authorities to trust; turns TLS on")
    tls_cert_file: str = setting("", "client certificate, where the nodes ask for one")
    tls_key_file: str = setting("", "key of the client certificate")
    tls_server_name: str = setting(
        "", "name that the nodes' certificates bear; empty: the address of each node"
    )
    protocol_version: int = setting(4, "native protocol version, 4 or 5")
    compression: str = setting("", "lz4, or empty for none: bodies of 650 bytes gain nothing")
    connect_timeout_seconds: float = setting(2.0, "for TCP, TLS and the handshake of a connection")
    request_timeout_seconds: float = setting(
        2.0, "deadline of a statement, all its attempts together"
    )
    heartbeat_seconds: float = setting(
        2.0, "an idle connection is asked for a sign of life this often"
    )
    probe_seconds: float = setting(
        0.2, "a node out of service is probed this often, so that it is back within a second"
    )
    reconnect_max_seconds: float = setting(
        0.5, "longest wait between two attempts to connect to a node that is down"
    )
    max_in_flight: int = setting(
        256, "requests outstanding at one node; beyond it they wait here for a place"
    )
    read_slots: int = setting(
        4,
        "frames of reads by key outstanding at one node; the keys that come meanwhile share the"
        " next. As many as the node has threads for requests",
    )
    max_keys: int = setting(32, "keys that share one frame at the most")
    queue_requests: int = setting(
        1024, "requests that may wait for a place; more are refused at once with 503"
    )
    silence_seconds: float = setting(
        0.05, "a node with outstanding requests that sends nothing this long is out of service"
    )
    unanswered_seconds: float = setting(
        15.0,
        "a connection on which a request stays unanswered this long (and twice the deadline) is"
        " replaced; Cassandra's own time-outs end sooner",
    )
    speculative_min_seconds: float = setting(
        0.01, "shortest wait before an idempotent read is sent to a second replica"
    )
    speculative_max_seconds: float = setting(0.2, "longest such wait, whatever the node's tail")
    speculative_share: float = setting(
        0.1, "second reads allowed, as a share of all reads: they must not double an overload"
    )
    max_attempts: int = setting(4, "nodes tried for one statement, the first included")
    topology_refresh_seconds: float = setting(
        10.0, "the ring is read again this often, besides when a node announces a change"
    )

    def __post_init__(self) -> None:
        if not self.contact_points:
            raise ValueError("CATALOG_CONTACT_POINTS names no node")
        if self.protocol_version not in (4, 5):
            raise ValueError(f"CATALOG_PROTOCOL_VERSION={self.protocol_version}: 4 or 5")
        if not re.fullmatch(r"\w+", self.keyspace, re.ASCII):
            raise ValueError(f"CATALOG_KEYSPACE={self.keyspace!r}: letters, digits and _ only")
        if self.compression not in ("", "lz4"):
            raise ValueError(f"CATALOG_COMPRESSION={self.compression!r}: lz4 or empty")
        if not 0 < self.cql_port < 65536:
            raise ValueError(f"CATALOG_CQL_PORT={self.cql_port}: between 1 and 65535")
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            least = 0 if field.name in ("queue_requests", "speculative_share") else _ABOVE_ZERO
            # Put so that "not a number" is refused as well.
            if isinstance(value, int | float) and not least <= value < math.inf:
                raise ValueError(f"{PREFIX}{field.name.upper()}={value}: a number above zero")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], **overrides: Any) -> "RingSettings":
        """Load from the environment and the settings file."""
        return load_settings(cls, environ, **overrides)

    def read_password(self) -> str:
        """The password: the file's first line, else the variable's.

        Raises:
            RingSettingsError: the file cannot be read.
        """
        if not self.password_file:
            return self.password
        try:
            return Path(self.password_file).read_text(encoding="utf-8").split("\n", 1)[0]
        except (OSError, UnicodeDecodeError) as error:
            raise RingSettingsError(f"CATALOG_PASSWORD_FILE: {error}") from error

    def tls_context(self) -> ssl.SSLContext | None:
        """The TLS context, or None when no authority is named.

        Raises:
            RingSettingsError: a file is missing or is no certificate.
        """
        if not self.tls_ca_file:
            return None
        try:
            context = ssl.create_default_context(cafile=self.tls_ca_file)
            if self.tls_cert_file:
                context.load_cert_chain(self.tls_cert_file, self.tls_key_file or None)
        except OSError as error:  # ssl.SSLError is one
            raise RingSettingsError(f"CATALOG_TLS_*: {error}") from error
        return context
