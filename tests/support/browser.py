"""A headless Chromium that can reach nothing but this machine."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

DESKTOP = (1280, 900)
PHONE = (360, 740)
# How long anything on a page may take, in milliseconds, on a machine that other tests share.
PATIENCE_MILLISECONDS = 20_000
# Photos of test data lie at addresses that do not exist, as many of the real ones do by now.
_LOST_PHOTO = ("net::ERR_NAME_NOT_RESOLVED", 'Content Security Policy directive: "img-src')


@dataclass
class Visit:
    """A page with what went wrong on it.

    Attributes:
        complaints: errors of the page's scripts and of the browser's console, photos left out.
        foreign: addresses of other origins that the page asked for, photos left out.
    """

    page: Page
    origin: str
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Collect from now on."""
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._on_console)
        self.page.on(
            "request", lambda request: self._on_request(request.url, request.resource_type)
        )

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(part in message.text for part in _LOST_PHOTO):
            self.complaints.append(message.text)

    def _on_request(self, url: str, kind: str) -> None:
        own = url.startswith((self.origin, "data:"))
        if not own and kind != "image":
            self.foreign.append(url)


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """Run Debian's Chromium until the block ends."""
    program = shutil.which("chromium")
    assert program is not None, "chromium is not installed: make test installs it"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program,
            args=["--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"],
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visiting(
    browser: Browser, origin: str, size: tuple[int, int] = DESKTOP, *, dark: bool = False
) -> AsyncIterator[Visit]:
    """Open a window of its own, without cookies; close it when the block ends."""
    width, height = size
    context = await browser.new_context(
        base_url=origin,
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        locale="en-GB",
    )
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    try:
        visit = Visit(await context.new_page(), origin)
        visit.listen()
        yield visit
    finally:
        await context.close()
