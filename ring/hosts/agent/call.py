"""One command as it came, and what carries it out needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ring.hosts.agent.place import Place
from ring.hosts.agent.services import Service
from ring.hosts.agent.supervised import SupervisedService
from ring.hosts.agent.systemd import SystemdService, systemd_is_ours
from ring.hosts.agent.wire import Exchange

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One command.

    Attributes:
        exchange: where its files come from and its answers go.
        place: the host's folders.
        systemd: whether daemons are units here.
    """

    exchange: Exchange
    place: Place
    systemd: bool

    @classmethod
    def of(cls, exchange: Exchange) -> "Call":
        """Return the command of a request."""
        return cls(exchange, Place(Path(exchange.request["directory"])), systemd_is_ours())

    @property
    def request(self) -> Mapping[str, Any]:
        """Its values."""
        return self.exchange.request

    def service(self, name: str) -> Service:
        """Return a daemon of this place, whichever way it is run."""
        if self.systemd:
            return SystemdService(self.place, str(self.request["ring"]), name)
        return SupervisedService(self.place, name)
