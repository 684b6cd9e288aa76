from prometheus_client.parser import text_string_to_metric_families

from catalog_api.figures import Figures
from catalog_api.metrics import gather, render
from catalog_api.telemetry import RequestTelemetry
from tests.support.constant_rows import ConstantRows


async def test_render_when_requests_were_observed_then_prometheus_reads_them_back() -> None:
    """Counts by route and status, and cumulated buckets that end in the count."""
    telemetry = RequestTelemetry()
    for seconds in (0.0002, 0.0009, 99.0):
        telemetry.observe("/products/{id}", 200, seconds)
    telemetry.observe("/products/{id}", 404, 0.001)
    telemetry.in_flight = 2
    text = render(gather(telemetry, ConstantRows(b"{}"))).decode()
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    route = "/products/{id}"
    assert samples["catalog_requests_total", route, "200"] == 3
    assert samples["catalog_requests_total", route, "404"] == 1
    assert samples["catalog_requests_in_flight",] == 2
    bucket = "catalog_request_duration_seconds_bucket"
    # Labels are sorted here: route, bound and status in the order of their characters.
    assert samples[bucket, *sorted(("0.00025", route, "200"))] == 1
    assert samples[bucket, *sorted(("0.001", route, "200"))] == 2
    assert samples[bucket, *sorted(("+Inf", route, "200"))] == 3
    assert samples["catalog_request_duration_seconds_count", route, "200"] == 3


def test_render_when_there_are_no_figures_then_every_name_is_still_told() -> None:
    """A dashboard finds the names before the first request."""
    text = render(Figures()).decode()
    for name in ("catalog_requests_total", "catalog_ring_reads_total", "catalog_workers"):
        assert f"# HELP {name}" in text
