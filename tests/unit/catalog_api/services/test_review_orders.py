"""Orders in memory hold what sorting everything anew would give, whatever happened in between."""

from hypothesis import given
from hypothesis import strategies as st

from catalog_api.repositories.reviews import ReviewChange, ReviewKey
from catalog_api.services.review_orders import ReviewOrder

IDS = st.integers(1, 12)
KEYS = st.lists(
    st.builds(
        ReviewKey,
        IDS,
        st.integers(0, 3),
        st.one_of(st.none(), st.integers(0, 3)),
        st.booleans(),
        st.integers(0, 5),
    ),
    unique_by=lambda key: key.review_id,
)
VOTES = st.builds(ReviewChange, IDS, st.integers(1, 9), st.none(), st.none())
REPORTS = st.builds(ReviewChange, IDS, st.none(), st.just(value=True), st.none())
NEW = st.builds(ReviewChange, st.integers(13, 20), st.none(), st.none(), st.integers(0, 5))


def expected(keys: list[ReviewKey], changes: list[ReviewChange]) -> dict[int, tuple[int, int]]:
    """Return helpfulness and time of what is shown, by id, worked out one change at a time."""
    votes = {key.review_id: key.votes or 0 for key in keys}
    base = {key.review_id: (key.helpfulness or 0, key.written_at_ms or 0) for key in keys}
    hidden = {key.review_id for key in keys if key.reported}
    for change in changes:
        review_id = change.review_id
        if change.written_at_ms is not None and review_id not in base:
            base[review_id], votes[review_id] = (0, change.written_at_ms), 0
        if change.votes is not None and review_id in votes:
            votes[review_id] = max(votes[review_id], change.votes)
        if change.reported:
            hidden.add(review_id)
    return {
        review_id: (helpfulness + votes[review_id], written_at)
        for review_id, (helpfulness, written_at) in base.items()
        if review_id not in hidden
    }


@given(keys=KEYS, changes=st.lists(st.one_of(VOTES, REPORTS, NEW)), again=st.integers(0, 5))
def test_order_when_changes_are_applied_then_it_is_as_sorted_anew(
    keys: list[ReviewKey], changes: list[ReviewChange], again: int
) -> None:
    """Also when the last changes come once more, as each request reads some of them again."""
    order = ReviewOrder(1, keys, read_at=0.0)
    for change in [*changes, *changes[-again:]]:
        order.apply(change)
    shown = expected(keys, changes)
    assert len(order) == len(shown)
    helpful = sorted(shown, key=lambda review_id: (-shown[review_id][0], review_id))
    newest = sorted(shown, key=lambda review_id: (-shown[review_id][1], review_id))
    assert order.helpful.slice(0, 100) == helpful
    assert order.newest.slice(0, 100) == newest
    assert order.helpful.slice(3, 2) == helpful[3:5]
