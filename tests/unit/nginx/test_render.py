import re
from pathlib import Path

import pytest

from nginx.render import NginxPlan, RenderError, main, render

SERVERS = (("127.0.0.1", 8080), ("127.0.0.2", 8080), ("::1", 8080))


def read_all(plan: NginxPlan) -> str:
    """Return all rendered files as one text."""
    return "\n".join(
        path.read_text(encoding="utf-8") for path in sorted(plan.main_file.parent.iterdir())
    )


def test_render_when_done_then_every_app_server_and_no_placeholder(tmp_path: Path) -> None:
    """Each app server stands in the upstream once, and nothing is left to fill in."""
    plan = NginxPlan(tmp_path, SERVERS, port=8123)
    assert render(plan)
    text = read_all(plan)
    assert re.findall(r"^ +server (\S+:8080) ", text, re.MULTILINE) == [
        "127.0.0.1:8080",
        "127.0.0.2:8080",
        "[::1]:8080",
    ]
    assert "listen 127.0.0.1:8123 " in text
    assert not re.search(r"@[A-Z]", text)


def test_render_when_repeated_then_unchanged_until_a_server_joins(tmp_path: Path) -> None:
    """Whether nginx must read its files again is told by the renderer."""
    assert render(NginxPlan(tmp_path, SERVERS))
    assert not render(NginxPlan(tmp_path, SERVERS))
    assert render(NginxPlan(tmp_path, SERVERS[:2]))


def test_render_when_done_then_nothing_outside_its_folder(tmp_path: Path) -> None:
    """Every path that nginx writes to lies in the folder; figures are on loopback only."""
    plan = NginxPlan(tmp_path, SERVERS)
    render(plan)
    text = read_all(plan)
    written = re.findall(r"(?:pid|error_log|access_log|_temp_path) \"?(/[^\";]+)", text)
    assert len(written) == 8
    assert all(path.startswith(str(tmp_path)) for path in written)
    assert re.search(r"listen 127\.0\.0\.1:8001;[^}]*location = /nginx_status", text, re.DOTALL)


@pytest.mark.parametrize(
    ("servers", "host", "port"),
    [
        ((), "127.0.0.1", 8000),
        ((("app; include /etc/passwd", 80),), "127.0.0.1", 8000),
        (SERVERS, "localhost;", 8000),
        (SERVERS, "127.0.0.1", 0),
        ((("127.0.0.1", 70_000),), "127.0.0.1", 8000),
    ],
)
def test_plan_when_it_cannot_be_served_then_error(
    tmp_path: Path, servers: tuple[tuple[str, int], ...], host: str, port: int
) -> None:
    """Nothing but addresses and ports gets into the configuration."""
    with pytest.raises(RenderError):
        NginxPlan(tmp_path, servers, host=host, port=port)


def test_command_line_when_right_then_prints_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command renders, and says what to start nginx with."""
    assert main([str(tmp_path), "127.0.0.1:8080", "[::1]:8081", "--port", "8002"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "conf" / "nginx.conf")
    assert "server [::1]:8081 " in read_all(NginxPlan(tmp_path, SERVERS))


@pytest.mark.parametrize("server", ["127.0.0.1", "nobody:80", "127.0.0.1:x"])
def test_command_line_when_wrong_then_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], server: str
) -> None:
    """A server that is none is refused with exit code 2 and a sentence."""
    assert main([str(tmp_path), server]) == 2
    assert server.partition(":")[0] in capsys.readouterr().err
