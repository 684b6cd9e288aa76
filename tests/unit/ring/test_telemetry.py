from ring.telemetry import LatencyHistogram, NodeTelemetry, quantile_seconds


def test_histogram_when_values_are_observed_then_counted_by_upper_bound() -> None:
    """A value on a bound belongs to it; what is above the last has a bucket of its own."""
    histogram = LatencyHistogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        histogram.observe(value)
    histogram.observe(2.0, 3)
    assert histogram.counts == [2, 4, 1]
    assert histogram.count == 7
    assert histogram.sum_seconds == 18.0


def test_quantile_when_counts_are_few_or_none_then_bound_of_its_bucket() -> None:
    """The upper bound of the bucket that holds it; None when there is nothing to tell."""
    bounds = (1.0, 2.0, 3.0)
    assert quantile_seconds(bounds, [0, 0, 0, 0], 0.99) is None
    assert quantile_seconds(bounds, [99, 1, 0, 0], 0.99) == 1.0
    assert quantile_seconds(bounds, [98, 2, 0, 0], 0.99) == 2.0
    assert quantile_seconds(bounds, [0, 0, 0, 5], 0.5) == 3.0


def test_failures_when_counted_then_by_attempt_and_outcome() -> None:
    """What Prometheus shows as labels."""
    telemetry = NodeTelemetry()
    telemetry.count_failure("first", "lost")
    telemetry.count_failure("first", "lost")
    telemetry.count_failure("retry", "read_timeout")
    assert telemetry.failed == {("first", "lost"): 2, ("retry", "read_timeout"): 1}
