from pathlib import Path

from catalog_api.figures import Figures
from catalog_api.publication import Publication

COUNT = ("catalog_requests", ("/products", "200"))
IN_FLIGHT = ("catalog_requests_in_flight", ())
DURATION = ("catalog_request_duration_seconds", ())


def _figures(count: int) -> Figures:
    return Figures(
        counters={COUNT: count},
        gauges={IN_FLIGHT: 1},
        histograms={DURATION: ([count, 0, 1], float(count))},
    )


def test_total_when_workers_publish_then_their_figures_add_up(tmp_path: Path) -> None:
    """Counters, gauges and histograms of the living are summed."""
    publication = Publication(tmp_path)
    publication.publish("worker-1-0", _figures(3))
    publication.publish("worker-1-1", _figures(4))
    publication.publish("worker-1-1", _figures(5))
    total = publication.total()
    assert total.counters == {COUNT: 8}
    assert total.gauges == {IN_FLIGHT: 2}
    assert total.histograms == {DURATION: ([8, 0, 2], 8.0)}


def test_total_when_a_worker_has_died_then_counters_stay_and_gauges_go(tmp_path: Path) -> None:
    """Counters never go back; what was in flight in a dead process is gone."""
    publication = Publication(tmp_path)
    publication.publish("worker-1-0", _figures(3))
    publication.publish("worker-1-1", _figures(4))
    publication.retire("worker-1-0")
    publication.retire("worker-1-1")
    total = publication.total()
    assert total.counters == {COUNT: 7}
    assert total.gauges == {}
    assert total.histograms == {DURATION: ([7, 0, 2], 7.0)}
    assert [path.name for path in tmp_path.iterdir()] == ["retired.json"]


def test_total_when_a_retired_worker_left_its_file_then_it_is_counted_once(tmp_path: Path) -> None:
    """Between the two steps of retiring, a reader sees both and counts one."""
    publication = Publication(tmp_path)
    publication.publish("worker-1-0", _figures(3))
    publication.retire("worker-1-0")
    publication.publish("worker-1-0", _figures(3))
    assert publication.total().counters == {COUNT: 3}


def test_retire_when_nothing_was_published_then_nothing_changes(tmp_path: Path) -> None:
    """A worker that dies at its start leaves no figures."""
    publication = Publication(tmp_path)
    publication.retire("worker-1-0")
    assert publication.total() == Figures()
