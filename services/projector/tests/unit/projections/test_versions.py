"""The versions of the projections: what fills a store's views does not change without its version."""

import hashlib
import json
from pathlib import Path

import msgspec
import pytest

from cheeper_contracts.kafka.codec import EVENT_TYPES, decode_event
from cheeper_contracts.views.generations import VERSIONS
from projector import projections
from projector.projections.writes import ReportNotifications, ReportRecord

pytestmark = pytest.mark.proves(guarantee="rebuild")

EXAMPLES = Path(__file__).parents[5] / "contracts" / "examples"
RECORDED = Path(__file__).parent / "versions.json"
TABLES = {"redis": projections.REDIS, "mongo": projections.MONGO}
RULE = (
    "{store}: what is written for {events} has changed, or its version: raise VERSIONS[{store!r}] in "
    "cheeper_contracts.views.generations, see docs/change-a-projection.md, and put into versions.json: {now}"
)


def written(store, event_type, meta):
    """A digest of what a store's projections write for an event's golden example. No view holds a report."""
    value = (EXAMPLES / f"{event_type}.message").read_bytes().partition(b"\n\n")[2]
    writes = projections.project(TABLES[store], decode_event(event_type, value), meta)
    named = [
        (type(write).__name__, msgspec.to_builtins(write, enc_hook=str))
        for write in writes
        if not isinstance(write, ReportNotifications | ReportRecord)
    ]
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:16]


@pytest.mark.parametrize("store", sorted(TABLES))
def test_what_is_written_changes_only_with_its_version(store, meta):
    """Another result for an event's golden example asks for another version, by name.

    An event type that is new asks for none: the views have nothing of it yet.
    """
    recorded = json.loads(RECORDED.read_text())[store]
    now = {event_type: written(store, event_type, meta) for event_type in sorted(EVENT_TYPES)}
    changed = sorted(name for name in recorded["writes"] if now.get(name) != recorded["writes"][name])
    same_version = recorded["version"] == VERSIONS[store]
    wanted = json.dumps({"version": VERSIONS[store] + (bool(changed) and same_version), "writes": now})
    assert same_version, RULE.format(store=store, events="nothing", now=wanted)
    assert not changed, RULE.format(store=store, events=", ".join(changed), now=wanted)
