"""The rules that the hand-written pages keep, read from their sources."""

import hashlib
import re
from pathlib import Path

import pytest

from nginx.render import ROOM

STATIC = ROOM / "static"
STORE = STATIC / "assets" / "store"
MODULES = sorted(STORE.glob("*.js"))
STYLES = sorted((STATIC / "assets").glob("*.css"))
VIEWER = STATIC / "assets" / "swagger-ui"
PAGES = sorted(STATIC.glob("*.html"))


def names(paths: list[Path]) -> list[str]:
    """Return names that tell the cases apart."""
    return [path.name for path in paths]


@pytest.mark.parametrize("path", MODULES, ids=names(MODULES))
def test_module_when_read_then_makes_no_html_and_no_code_from_text(path: Path) -> None:
    """Text gets into the page as text nodes only, whatever it says."""
    text = path.read_text(encoding="utf-8")
    ways = r"innerHTML|outerHTML|insertAdjacentHTML|setHTML|document\.write|DOMParser|srcdoc"
    assert not re.search(ways + r"|createContextualFragment|\beval\(|new Function", text)
    assert len(text.splitlines()) < 300


@pytest.mark.parametrize("path", MODULES, ids=names(MODULES))
def test_module_when_it_imports_then_the_other_exports_that_name(path: Path) -> None:
    """Imports are relative, exist and are used: nothing is built, so nothing else would say."""
    text = path.read_text(encoding="utf-8")
    imports = re.findall(r"^import \{([^}]+)\} from \"\./(\w+\.js)\";$", text, re.MULTILINE)
    assert len(imports) == len(re.findall(r"^import\b", text, re.MULTILINE))
    for listed, module in imports:
        exported = (STORE / module).read_text(encoding="utf-8")
        for name in (word.strip() for word in listed.split(",")):
            export = rf"^export (async )?(function|const|class) {name}\b"
            assert re.search(export, exported, re.MULTILINE)
            assert len(re.findall(rf"\b{name}\b", text)) > 1


def test_modules_when_all_are_read_then_every_one_is_reached_from_the_page() -> None:
    """No module is left over that no page loads."""
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    waiting = re.findall(r'src="/assets/store/(\w+\.js)"', page)
    reached: set[str] = set()
    while waiting:
        module = waiting.pop()
        reached.add(module)
        text = (STORE / module).read_text(encoding="utf-8")
        waiting += [name for name in re.findall(r'"\./(\w+\.js)"', text) if name not in reached]
    assert sorted(reached) == names(MODULES)


@pytest.mark.parametrize("path", STYLES, ids=names(STYLES))
def test_style_sheet_when_read_then_it_loads_nothing(path: Path) -> None:
    """Style sheets name no other file, and so nothing from elsewhere."""
    assert not re.search(r"url\(|@import", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", PAGES, ids=names(PAGES))
def test_page_when_read_then_no_inline_script_or_style(path: Path) -> None:
    """The pages hold what the policy allows: no inline script, style or listener."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text)


def test_viewer_when_read_then_it_is_what_was_published() -> None:
    """The files of the viewer are whole and unchanged, and there is none besides."""
    listed = [line.split() for line in (VIEWER / "SHA256SUMS").read_text("ascii").splitlines()]
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VIEWER.iterdir()
        if path.name != "SHA256SUMS"
    }
    assert found == {name: digest for digest, name in listed}
