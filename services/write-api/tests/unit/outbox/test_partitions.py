"""The outbox's partitions by month."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from write_api.outbox.partitions import ended_before, statements


def test_this_month_and_three_more_are_made_across_the_turn_of_the_year():
    """Each partition ends where the next one begins, and its name is its month."""
    made = statements(datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    assert [statement.split()[5] for statement in made] == [
        "outbox_2026_11",
        "outbox_2026_12",
        "outbox_2027_01",
        "outbox_2027_02",
    ]
    assert "FROM ('2026-12-01T00:00:00+00:00') TO ('2027-01-01T00:00:00+00:00')" in made[1]


def test_the_month_is_that_of_utc():
    """A clock in a time zone that is a month ahead creates the same partitions."""
    east = datetime(2026, 12, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    assert statements(east)[0].split()[5] == "outbox_2026_11"


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
    assert ended_before([*names, "outbox_2020_01_copy", "outbox_2020_13", "other"], now, days) == old
