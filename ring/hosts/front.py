"""nginx before the app servers: what it serves follows the ring."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Protocol

from ring.hosts.errors import HostError
from ring.nodes.errors import NodesError
from ring.nodes.front import nginx_members, start_nginx
from ring.nodes.probes import nginx_figures
from ring.nodes.settings import StackSettings


class Front(Protocol):
    """The nginx of the ring. Every call may be repeated, ends in time, and raises HostError."""

    async def render(self, app_addresses: Sequence[str]) -> bool:
        """Let nginx serve the app servers at these addresses, one at least, and no others.

        The configuration is rendered and tested before nginx reads it; one that runs loses no
        request, and when this returns it sends none to an app server that was taken out, but for
        long answers under way. One that does not run is started.

        Returns:
            Whether anything had to be done.

        Raises:
            HostError: why not; then nginx serves what it served before.
        """
        ...

    async def members(self) -> tuple[str, ...]:
        """Return the addresses of the app servers that nginx serves; none when it does not run."""
        ...

    async def read_figures(self) -> str:
        """Return nginx's own figures: the text of its status page (`stub_status`)."""
        ...


class LocalFront:
    """The nginx of the local stack; see `Front`."""

    def __init__(self, settings: StackSettings) -> None:
        self._settings = settings

    def __repr__(self) -> str:
        settings = self._settings
        return f"<LocalFront {settings.nginx_host}:{settings.nginx_port}>"

    async def render(self, app_addresses: Sequence[str]) -> bool:
        """Let nginx serve the app servers at these addresses and no others; start it if need be."""
        try:
            return await asyncio.to_thread(self._render, app_addresses)
        except NodesError as error:
            raise HostError(f"nginx: {error}", advice=error.advice) from error
        except OSError as error:
            raise HostError(f"nginx: {error}", advice="Check free disk space.") from error

    async def members(self) -> tuple[str, ...]:
        """Return the addresses of the app servers that nginx serves; none when it does not run."""
        return await asyncio.to_thread(nginx_members, self._settings)

    async def read_figures(self) -> str:
        """Return nginx's own figures: the text of its status page."""
        try:
            return await asyncio.to_thread(nginx_figures, self._settings.nginx_status_port)
        except NodesError as error:
            raise HostError(f"nginx: {error}", advice=error.advice) from error

    def _render(self, app_addresses: Sequence[str]) -> bool:
        with ExitStack() as undo:
            changed = start_nginx(self._settings, app_addresses, undo)
            undo.pop_all()
        return changed
