"""The outbox's partitions by month."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from write_api.outbox.partitions import retention, statements


def months(now):
    """The months whose partitions are made."""
    return [statement.split("'")[1] for statement in statements(now)]


def test_this_month_and_three_more_are_made_across_the_turn_of_the_year():
    """Each statement names the first day of a month, in order."""
    made = months(datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    assert made == ["2026-11-01", "2026-12-01", "2027-01-01", "2027-02-01"]


def test_the_month_is_that_of_utc():
    """A clock in a time zone that is a month ahead creates the same partitions."""
    east = datetime(2026, 12, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    assert months(east)[0] == "2026-11-01"


@pytest.mark.parametrize(
    ("days", "old"),
    [
        (30, ["outbox_2025_11", "outbox_2025_12", "outbox_2026_01"]),
        (31, ["outbox_2025_11", "outbox_2025_12"]),
        (1, ["outbox_2025_11", "outbox_2025_12", "outbox_2026_01", "outbox_2026_02"]),
        (1000, []),
    ],
)
def test_old_partitions_are_those_whose_month_ended_so_many_days_ago(days, old):
    """The oldest comes first; the default partition, this month's and unknown names are left out."""
    names = ["outbox_default", "outbox_2026_03", "outbox_2026_02", "outbox_2025_12", "outbox_2026_01", "outbox_2025_11"]
    now = datetime(2026, 3, 3, tzinfo=UTC)
    found = retention([*names, "outbox_2020_01_copy", "outbox_2020_13", "other"], now, days, every_day(now, 1200))
    assert found == (old, [])


def every_day(now, count):
    """The days up to now, all of which a relay has seen."""
    return [now.date() - timedelta(days=ago) for ago in range(count)]


@pytest.mark.parametrize("jump", [timedelta(hours=30), timedelta(days=60), timedelta(days=10_000)])
def test_a_clock_that_jumps_ahead_makes_no_month_old(jump):
    """It has seen one more day, so nothing that was kept before is dropped, and the months concerned are named."""
    names, now, days = ["outbox_2026_01", "outbox_2026_02"], datetime(2026, 3, 3, tzinfo=UTC), 30
    seen, jumped = every_day(now, 365), now + jump
    before = retention(names, now, days, seen)
    assert before == (["outbox_2026_01"], [])
    after = retention(names, jumped, days, [*seen, jumped.date()])
    assert after.ended == before.ended
    assert after.by_the_clock == (["outbox_2026_02"] if jump > timedelta(days=28) else [])


def test_after_a_jump_a_month_is_dropped_once_the_days_of_its_retention_have_passed():
    """Nobody has to say that the clock is right: the relay sees each day, and the last one that is needed counts."""
    now, days = datetime(2026, 3, 1, tzinfo=UTC), 30
    seen = set(every_day(now, 100))
    later = [now + timedelta(days=300 + day) for day in range(40)]
    dropped = []
    for moment in later:
        seen.add(moment.date())
        dropped.append(bool(retention(["outbox_2026_02"], moment, days, seen).ended))
    assert dropped.index(True) == days - 2  # the first of March was seen, and this day is


def test_days_that_a_wrong_clock_has_shown_do_not_count_once_it_is_right():
    """They are ahead of it. Broken by a count of all days after the month's end."""
    now = datetime(2026, 3, 3, tzinfo=UTC)
    ahead = [date(2027, 1, 1) + timedelta(days=day) for day in range(60)]
    assert retention(["outbox_2026_01"], now, 30, ahead) == ([], ["outbox_2026_01"])


def test_a_relay_that_did_not_run_has_seen_nothing():
    """Days without a relay only lengthen the retention, and those that it saw several times count once."""
    now = datetime(2026, 3, 31, tzinfo=UTC)
    every_other = [now.date() - timedelta(days=ago) for ago in range(0, 90, 2)]
    assert retention(["outbox_2026_02"], now, 30, every_other).ended == []
    assert retention(["outbox_2026_01", "outbox_2026_02"], now, 29, every_other).ended == ["outbox_2026_01"]
