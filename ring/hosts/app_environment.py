"""What an app server on a host is told: the operator's settings of the app, and its own place.

Settings are taken as `make up` takes them, from the operator's environment. Those that name a file
(certificates, secrets) travel as the file's content, into a file that only its owner can read.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ring.hosts.errors import HostError
from ring.hosts.host import HostEntry
from ring.inventory import Inventory
from ring.nodes.app_servers import (
    is_for_app_server,
    keep_session_secret,
    session_secret_file,
)
from ring.nodes.settings import StackSettings
from ring.settings import PREFIX

_FILE: Final = "_FILE"
_PASSWORD: Final = f"{PREFIX}PASSWORD"
_SESSION_SECRET: Final = f"{PREFIX}SESSION_SECRET"


@dataclass(frozen=True, slots=True)
class AppEnvironment:
    """What an app server is started with.

    Attributes:
        environ: an app server that runs with another is started anew.
        at_start: matters at the start only, since it follows the ring by itself then.
        secrets: contents of files; the setting `CATALOG_<NAME>_FILE` will name each.
    """

    environ: dict[str, str]
    at_start: dict[str, str]
    secrets: dict[str, str] = dataclasses.field(repr=False)


def app_environment(
    environ: Mapping[str, str],
    settings: StackSettings,
    inventory: Inventory,
    entry: HostEntry,
    contact_points: Sequence[str],
) -> AppEnvironment:
    """Return what the app server of a host is started with.

    Raises:
        HostError: a file that a setting names cannot be read.
    """
    given = {
        name: value
        for name, value in environ.items()
        if name.startswith(PREFIX) and value and is_for_app_server(name)
    }
    files = {name: given.pop(name) for name in list(given) if name.endswith(_FILE)}
    secrets = {_secret_name(name): _read(name, path) for name, path in files.items()}
    for name in (_PASSWORD, _SESSION_SECRET):
        # A file wins over the variable, as everywhere.
        if name in given:
            secrets.setdefault(_secret_name(name + _FILE), given.pop(name) + "\n")
    if _secret_name(_SESSION_SECRET + _FILE) not in secrets:
        settings.state.mkdir(parents=True, exist_ok=True)
        keep_session_secret(settings)
        own = str(session_secret_file(settings))
        secrets[_secret_name(_SESSION_SECRET + _FILE)] = _read(_SESSION_SECRET + _FILE, own)
    place = {
        "CATALOG_HOST": entry.address,
        "CATALOG_PORT": str(inventory.app_port),
        "CATALOG_CQL_PORT": str(inventory.cql_port),
        "CATALOG_LOCAL_ADDRESS": entry.address,
    }
    others = [point for point in contact_points if point != entry.address]
    at_start = {"CATALOG_CONTACT_POINTS": ",".join([entry.address, *others])}
    given.pop("CATALOG_CONTACT_POINTS", None)
    return AppEnvironment({**given, **place}, at_start, secrets)


def _secret_name(variable: str) -> str:
    return variable.removeprefix(PREFIX).removesuffix(_FILE).lower()


def _read(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HostError(
            f"{variable}: {error}", advice="Let it name a file that you can read."
        ) from error
