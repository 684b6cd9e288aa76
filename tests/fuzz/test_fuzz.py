"""Thousands of requests made of the OpenAPI document, against a real server and real rows.

No answer is a 5xx, and each is as the document says. Schemathesis makes and judges the requests in
a process of its own; `schemathesis.toml` says which of its checks are left out, and why.
"""

import asyncio
import logging
import os
import re
import sys
from pathlib import Path

import pytest

from catalog_api.settings import ApiSettings
from ring import RingSettings
from tests.support.api import HOST
from tests.support.example_catalog import running_example

HERE = Path(__file__).parent
# How fast a busy machine answers is not the question here, nor how often one caller may ask.
SETTINGS = ApiSettings(
    request_deadline_seconds=60.0,
    intent_seconds=120.0,
    idempotency_lease_seconds=120.0,
    votes_per_minute=0,
    posts_per_minute=0,
    max_cart_posts=1_000_000,
    export_share=1.0,
)
_GENERATED = re.compile(r"(\d+) generated")
_OPERATIONS = re.compile(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)")


async def fuzz(
    ring_settings: RingSettings,
    logged: pytest.LogCaptureFixture,
    *arguments: str,
    timeout_seconds: float,
) -> int:
    """Run the fuzzer with these arguments; returns how many requests it made.

    Raises:
        AssertionError: a check failed; the message is the fuzzer's report. Or the server logged an
            error: what goes wrong behind an answer, such as a view that cannot follow.
    """
    async with running_example(ring_settings, SETTINGS) as api:
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("schemathesis")),
            *("--config-file", str(HERE / "schemathesis.toml")),
            *("run", f"http://{HOST}:{api.port}/openapi.json", *arguments),
            env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(timeout_seconds):
                output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        report = output.decode()
        assert process.returncode == 0, report
        generated, operations = _GENERATED.search(report), _OPERATIONS.search(report)
        assert generated is not None, report
        assert operations is not None, report
        assert len(set(operations.groups())) == 1, f"an operation was left out: {report}"
        errors = [one for one in logged.records if one.levelno >= logging.ERROR]
        assert not errors, errors[:5]
        return int(generated[1])


@pytest.mark.timeout(800)
async def test_fuzz_when_a_few_thousand_requests_are_made_then_all_checks_hold(
    ring_settings: RingSettings, caplog: pytest.LogCaptureFixture
) -> None:
    """The shorter run, of one to four minutes: the most of it are the bounds of all schemas."""
    assert await fuzz(ring_settings, caplog, "--max-examples", "10", timeout_seconds=700) >= 3_000


@pytest.mark.fuzz
@pytest.mark.timeout(7_200)
async def test_fuzz_when_ten_thousand_requests_are_made_then_all_checks_hold(
    ring_settings: RingSettings, caplog: pytest.LogCaptureFixture
) -> None:
    """The whole run: `make test-fuzz`."""
    assert (
        await fuzz(ring_settings, caplog, "--max-examples", "500", timeout_seconds=7_000) >= 10_000
    )
