import asyncio

import orjson
from aiohttp.http_parser import RawRequestMessage
from aiohttp.http_writer import HttpVersion11
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from catalog_api.access_log import AccessLog
from catalog_api.answers import JSON_OK, Answer
from catalog_api.telemetry import RequestTelemetry

# As a parser makes it of raw bytes that are no UTF-8.
HOSTILE_TARGET = "/products/\udcff\n"


def _message(target: str) -> RawRequestMessage:
    return RawRequestMessage(
        "GET",
        target,
        HttpVersion11,
        CIMultiDictProxy(CIMultiDict()),
        (),
        False,
        None,
        False,
        False,
        URL("/"),
    )


async def test_run_when_cancelled_then_every_line_is_written_as_json() -> None:
    """No line is lost at a stop, and hostile bytes of a target cannot break a line."""
    written: list[bytes] = []
    log = AccessLog(sample=1.0, write=written.append, telemetry=RequestTelemetry())
    task = asyncio.create_task(log.run())
    await asyncio.sleep(0)
    message = _message(HOSTILE_TARGET)
    for _ in range(2):
        log.record(message, ("127.0.0.1", 9), "id-1", "unmatched", Answer(JSON_OK, b"[]"), 0.0015)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    lines = b"".join(written).splitlines()
    assert len(lines) == 2
    line = orjson.loads(lines[0])
    assert line["request_id"] == "id-1"
    assert line["target"] == "/products/\\udcff\n"
    assert (line["status"], line["bytes"], line["milliseconds"]) == (200, 2, 1.5)


def test_record_when_the_sample_is_none_then_it_is_off() -> None:
    """The log is off unless it is asked for."""
    log = AccessLog(sample=0.0, write=lambda _: None, telemetry=RequestTelemetry())
    assert not log.enabled


def test_record_when_writing_falls_behind_then_lines_are_dropped_and_counted() -> None:
    """The log never grows without bound."""
    telemetry = RequestTelemetry()
    log = AccessLog(sample=1.0, write=lambda _: None, telemetry=telemetry)
    message = _message("/products")
    for _ in range(20_010):
        log.record(message, None, "id", "/products", Answer(JSON_OK), 0.001)
    assert telemetry.log_lines_dropped == 10
