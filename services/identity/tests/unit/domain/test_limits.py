"""The limits of attempts."""

from hypothesis import given
from hypothesis import strategies as st

from identity.domain.limits import Bucket, account_bucket, delay, sign_in_buckets


@given(st.lists(st.integers(0, 200), max_size=60))
def test_a_bucket_lets_no_more_through_than_its_rate(pauses):
    """Over any time, no more attempts fit than the size and what leaks in that time."""
    bucket, level, at, passed = Bucket(b"", 5, 60), 0.0, 0, 0
    now = 0
    for pause in pauses:
        now += pause
        found = bucket.level(level, at, now)
        wait = bucket.wait(found)
        if not wait:
            level, at, passed = found + 1, now, passed + 1
        else:
            assert bucket.wait(bucket.level(found, now, now + wait)) == 0
        assert passed <= 5 + now / 60


def test_an_account_is_delayed_and_never_refused():
    """Nobody can lock somebody out: the account's own bucket has a place for every attempt, and fills up to a bound."""
    bucket = account_bucket("ann@example.org")
    assert bucket.wait(1e9) == 0
    assert bucket.level(1e9, 0, 0) == 60
    assert [delay(0), delay(10)] == [0, 0]
    assert 0.25 <= delay(11) < delay(30) <= delay(60) <= 4


def test_clients_have_places_of_their_own():
    """An attempt of one client takes none from another."""
    one, other = (sign_in_buckets("ann@example.org", client) for client in ("192.0.2.1", "192.0.2.2"))
    assert not {bucket.key for bucket in one} & {bucket.key for bucket in other}
