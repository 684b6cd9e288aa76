"""nginx's own figures, from its status page as it was told; the page itself on real sockets."""

import asyncio
from collections.abc import Sequence

import pytest

from ring.hosts.errors import HostError
from ring.monitoring.listener import Listener, Page
from ring.monitoring.nginx import fetch_nginx
from ring.monitoring.picture import Nginx
from ring.nodes.errors import NodesError
from ring.nodes.probes import nginx_figures

PAGE = """Active connections: 3
server accepts handled requests
 10 9 100
Reading: 1 Writing: 2 Waiting: 0
"""


class _Front:
    """An nginx that tells what it was made with."""

    def __init__(self, text: str) -> None:
        self._text = text

    async def read_figures(self) -> str:
        return self._text

    async def render(self, app_addresses: Sequence[str]) -> bool:
        raise NotImplementedError(app_addresses)

    async def members(self) -> tuple[str, ...]:
        raise NotImplementedError


async def test_nginx_when_it_tells_then_every_count_has_its_place() -> None:
    """The page of stub_status, as nginx writes it."""
    assert await fetch_nginx(_Front(PAGE)) == Nginx(10, 9, 100, reading=1, writing=2, waiting=0)


@pytest.mark.parametrize("text", ["", "hello", PAGE.replace("Reading", "Riding")])
async def test_nginx_when_something_else_answers_then_it_says_so(text: str) -> None:
    """A page without figures is no nginx that is idle."""
    with pytest.raises(HostError, match="tells no figures") as raised:
        await fetch_nginx(_Front(text))
    assert "status_port" in raised.value.advice


async def test_nginx_figures_when_the_page_is_there_then_it_is_returned() -> None:
    """From this machine's loopback, under the path of our configuration."""

    async def page() -> Page:
        return Page(PAGE.encode())

    listener = Listener({"/nginx_status": page})
    port = await listener.start("127.0.0.1", 0)
    try:
        assert await asyncio.to_thread(nginx_figures, port) == PAGE
    finally:
        await listener.aclose()


async def test_nginx_figures_when_another_program_answers_then_it_is_no_page() -> None:
    """A 404 is told with its place."""
    listener = Listener({})
    port = await listener.start("127.0.0.1", 0)
    try:
        with pytest.raises(NodesError, match=rf"127\.0\.0\.1:{port}/nginx_status answers 404"):
            await asyncio.to_thread(nginx_figures, port)
    finally:
        await listener.aclose()


def test_nginx_figures_when_nothing_listens_then_it_says_so() -> None:
    """Port 1 has nobody."""
    with pytest.raises(NodesError, match=r"127\.0\.0\.1:1/nginx_status"):
        nginx_figures(1)
