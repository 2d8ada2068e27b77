"""What a role waits for."""

from structlog.testing import capture_logs

from write_api.ops.needs import Needs


async def test_every_need_says_why_it_is_not_met():
    """A need is unmet from the start, met when it is said to be, and its check gives the reason in between."""
    needs = Needs("kafka", "lock")
    assert [await check() for check in needs.checks().values()] == ["starting", "starting"]
    needs.met("kafka", "lock")
    needs.unmet("lock", "standby")
    assert {name: await check() for name, check in needs.checks().items()} == {"kafka": None, "lock": "standby"}


def test_only_changes_are_logged():
    """A server that is away for an hour leaves one line, not one a try."""
    needs = Needs("kafka")
    with capture_logs() as lines:
        needs.unmet("kafka", "away")
        needs.unmet("kafka", "away")
        needs.met("kafka")
        needs.met("kafka")
    assert [(line["event"], line.get("why")) for line in lines] == [("waiting", "away"), ("ready", None)]
