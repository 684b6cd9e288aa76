import time

import pytest

from catalog_api.sessions import COOKIE, Session, Sessions, derive

SECRETS = ("first-secret-of-enough-characters", "second-secret-of-enough-characters")
LIFETIME_SECONDS = 1000


def issued(sessions: Sessions, session: Session) -> str:
    """Return the Cookie header that a browser sends back."""
    line = sessions.cookie(session, secure=False)
    return line.removeprefix("Set-Cookie: ").partition(";")[0]


@pytest.fixture
def sessions() -> Sessions:
    """One secret."""
    return Sessions(SECRETS[:1], lifetime_seconds=LIFETIME_SECONDS)


def test_find_when_a_cookie_was_issued_then_it_is_the_same_session(sessions: Sessions) -> None:
    """A cookie that is young needs no new one, and wins over Authorization."""
    new = sessions.find([], "")
    assert new.wants_cookie
    found = sessions.find(["theme=dark", f"a=b; {issued(sessions, new)}"], "token")
    assert found == Session(new.session_id, wants_cookie=False)


@pytest.mark.parametrize(
    ("age_seconds", "is_known", "wants_cookie"),
    [
        (0, True, False),
        (499, True, False),
        (501, True, True),
        (999, True, True),
        (1002, False, True),
        (-299, True, False),
        (-302, False, True),
    ],
)
def test_find_when_the_cookie_ages_then_it_is_renewed_and_in_the_end_refused(
    sessions: Sessions,
    monkeypatch: pytest.MonkeyPatch,
    age_seconds: int,
    *,
    is_known: bool,
    wants_cookie: bool,
) -> None:
    """Renewed after half of its life; none is from the future but by clocks that differ."""
    new = sessions.find([], "")
    cookie = issued(sessions, new)
    now = time.time()
    monkeypatch.setattr("catalog_api.sessions.time.time", lambda: now + age_seconds)
    found = sessions.find([cookie], "")
    assert (found.session_id == new.session_id) == is_known
    assert found.wants_cookie == wants_cookie


def test_find_when_the_secret_was_changed_then_older_ones_count_as_long_as_named() -> None:
    """The session stays, its cookie is replaced; without the older secret it is nobody's."""
    old = Sessions(SECRETS[1:], lifetime_seconds=LIFETIME_SECONDS)
    session = old.find([], "")
    cookie = issued(old, session)
    both = Sessions(SECRETS, lifetime_seconds=LIFETIME_SECONDS)
    assert both.find([cookie], "") == Session(session.session_id, wants_cookie=True)
    new = Sessions(SECRETS[:1], lifetime_seconds=LIFETIME_SECONDS)
    assert new.find([cookie], "").session_id != session.session_id
    assert new.find([issued(both, session)], "").session_id == session.session_id


def test_find_when_a_valid_cookie_stands_behind_forged_ones_then_it_is_found(
    sessions: Sessions,
) -> None:
    """As many as a browser sends for several paths; more are not looked at."""
    session = sessions.find([], "")
    cookie = issued(sessions, session)
    forged = f"{COOKIE}={'A' * 76}"
    assert sessions.find([f"{'; '.join([forged] * 7)}; {cookie}"], "") == Session(
        session.session_id, wants_cookie=False
    )
    assert sessions.find([f"{'; '.join([forged] * 8)}; {cookie}"], "").wants_cookie


def test_derive_when_a_value_is_no_utf8_then_it_has_a_session_too() -> None:
    """Bytes that aiohttp hands on as lone surrogates."""
    assert derive("\udcff") != derive("\udcfe")
    assert len(derive("token")) == 32
