"""The table of effects, compared with the projector's own projections of the golden events."""

from pathlib import Path

import pytest

from cheeper_contracts import views
from cheeper_contracts.catalogue import EVENTS
from cheeper_contracts.http.inspector import ROUTES as OWN
from cheeper_contracts.http.routes import ROUTES, route_of
from cheeper_contracts.kafka.codec import decode_event
from inspector.trace.effects import effects_of
from projector.projections import MONGO, REDIS, project
from projector.projections.meta import Meta
from projector.projections.writes import (
    AddMember,
    AddOwnCheep,
    AddToSet,
    FanOut,
    PullIn,
    PutText,
    RemoveFromSet,
    RemoveMember,
    RemoveOwnCheep,
    RemoveText,
    ReportNotifications,
    ReportRecord,
    SetField,
    TakeOut,
)

EXAMPLES = Path(__file__).parents[5] / "contracts" / "examples"
COMMAND = "0195a1c8-52f4-7c7e-9d3a-4f6b2a1c0d11"
EACH = pytest.mark.parametrize("event_type", EVENTS, ids=lambda each: each.TYPE)


def golden(event_type):
    value = (EXAMPLES / f"{event_type.TYPE}.message").read_bytes().split(b"\n\n", 1)[1]
    return decode_event(event_type.TYPE, value)


def meta_of(event):
    return Meta(
        message_id=COMMAND,
        correlation_id=COMMAND,
        reply_to=COMMAND,
        time=1,
        key=event.key,
        partition=0,
        sequence=1,
    )


def keys_of(write):
    """The keys that a write of Redis changes, as (pattern, id, element)."""
    match write:
        case SetField():
            return {("author", write.author_id, None)}
        case AddMember() | RemoveMember() | AddToSet() | RemoveFromSet():
            counted = {("author", write.owner_id, None)} if hasattr(write, "counter") else set()
            return {(write.set_name, write.owner_id, write.member.encode())} | counted
        case PutText() | RemoveText():
            return {(write.key_name, write.identifier, None)}
        case AddOwnCheep() | RemoveOwnCheep():
            return {("cheeps", write.author_id, bytes.fromhex(write.entry)), ("author", write.author_id, None)}
        case PullIn() | TakeOut():
            return {("timeline", write.reader_id, None)}
        case FanOut() | ReportRecord() | ReportNotifications():
            return set()  # of keys that are not the event's own
    raise AssertionError(f"an unknown write: {write}")


@EACH
def test_the_keys_are_those_that_the_projections_write(event_type):
    """Of each golden event, the keys that are shown are those that the projector writes to Redis, and no others."""
    event = golden(event_type)
    writes = project(REDIS, event, meta_of(event))
    shown = {(key.pattern.name, key.identifier, key.element) for key in effects_of(event, COMMAND).keys}
    assert shown == set().union(*map(keys_of, writes))


@EACH
def test_the_fan_out_is_that_of_the_projections(event_type):
    """Of each golden event, the timelines that are shown are those of the followers to whom it goes."""
    event = golden(event_type)
    writes = [write for write in project(REDIS, event, meta_of(event)) if isinstance(write, FanOut)]
    expected = [(write.author_id, bytes.fromhex(write.entry)) for write in writes]
    assert [effects_of(event, COMMAND).fan_out or ()] == (expected or [()])


@EACH
def test_the_documents_are_those_that_the_projections_write(event_type):
    """Of each golden event, the documents that are shown are those that the projector writes to MongoDB."""
    event = golden(event_type)
    writes = project(MONGO, event, meta_of(event))
    shown = {(each.collection.name, each.identifier) for each in effects_of(event, COMMAND).documents}
    assert shown == {(write.collection, write.identifier) for write in writes}


@EACH
def test_the_queries_exist(event_type):
    """Each path that is said to show an event is one of the API's, with all its parameters."""
    queries = effects_of(golden(event_type), COMMAND).queries
    assert queries
    for query in queries:
        path, _, _ = query.partition("?")
        route = route_of(path)
        assert route is not None, path
        assert route.queries
        assert "{" not in path


def test_an_event_without_a_command_has_no_record():
    """An event that no command caused writes no record of one."""
    event = golden(EVENTS[0])
    assert views.COMMAND_RECORD not in [key.pattern for key in effects_of(event, None).keys]


def test_the_inspectors_paths_are_its_own():
    """No path of the inspector is one of the services'."""
    assert not {route.path for route in OWN} & {route.path for route in ROUTES}
