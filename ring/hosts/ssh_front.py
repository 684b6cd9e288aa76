"""nginx on one host of the inventory; see `Front`."""

from collections.abc import Sequence
from typing import Any, Final

from ring.hosts.copies import Copies
from ring.hosts.ssh_connection import SshConnection
from ring.inventory import Inventory

RENDER_SECONDS: Final = 150.0


class SshFront:
    """The nginx of a ring that is reached over ssh."""

    def __init__(self, inventory: Inventory, connection: SshConnection, copies: Copies) -> None:
        self._inventory = inventory
        self._connection = connection
        self._copies = copies

    def __repr__(self) -> str:
        nginx = self._inventory.nginx
        return f"<SshFront {nginx.host}:{nginx.port} on {self._connection.name}>"

    async def render(self, app_addresses: Sequence[str]) -> bool:
        """Let nginx serve the app servers at these addresses and no others; start it if need be."""
        request = self._request(app_addresses)
        answer = await self._connection.call("render", timeout_seconds=RENDER_SECONDS, **request)
        if answer["needs_app"]:
            # A host of nginx alone: the templates and the pages come with the app.
            await self._copies.bring_app()
            answer = await self._connection.call(
                "render", timeout_seconds=RENDER_SECONDS, **request
            )
        return bool(answer["changed"])

    async def members(self) -> tuple[str, ...]:
        """Return the addresses of the app servers that nginx serves; none when it does not run."""
        return tuple((await self._connection.call("members"))["members"])

    async def read_figures(self) -> str:
        """Return nginx's own figures: the text of its status page."""
        port = self._inventory.nginx.status_port
        return str((await self._connection.call("front_figures", status_port=port))["text"])

    async def stop(self) -> None:
        """Stop nginx."""
        await self._connection.call("stop_front", timeout_seconds=RENDER_SECONDS)

    def _request(self, app_addresses: Sequence[str]) -> dict[str, Any]:
        nginx = self._inventory.nginx
        port = self._inventory.app_port
        return {
            "app_servers": [
                f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
                for address in app_addresses
            ],
            "host": nginx.host,
            "port": nginx.port,
            "status_port": nginx.status_port,
        }
