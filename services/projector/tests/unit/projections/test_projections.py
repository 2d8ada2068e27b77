from pathlib import Path

import msgspec
import pytest

from cheeper_contracts import views
from cheeper_contracts.catalogue import EVENTS
from cheeper_contracts.events.command_handled import CommandHandled
from cheeper_contracts.events.command_rejected import CommandRejected
from cheeper_contracts.kafka.codec import EVENT_TYPES, decode_event
from cheeper_contracts.superseded import SUPERSEDED_EVENTS
from projector import projections
from projector.projections.writes import FanOut, Increment, PullIn, PutText, SetFields, UnsetFields

pytestmark = pytest.mark.proves(guarantee="contracts")

EXAMPLES = Path(__file__).parents[5] / "contracts" / "examples"
TABLES = (projections.REDIS, projections.MONGO)


def golden_value(event_type):
    return (EXAMPLES / f"{event_type}.message").read_bytes().partition(b"\n\n")[2]


def golden(event_type):
    return decode_event(event_type, golden_value(event_type))


@pytest.mark.parametrize("table", TABLES, ids=("redis", "mongo"))
def test_every_event_is_in_every_table(table):
    """No event is left out of a store by accident."""
    assert set(table) == set(EVENTS)


@pytest.mark.parametrize("table", TABLES, ids=("redis", "mongo"))
@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_every_golden_example_can_be_projected(table, event_type, meta):
    """The bytes that the contracts promise make writes in each store."""
    assert projections.project(table, golden(event_type), meta)


@pytest.mark.parametrize("table", TABLES, ids=("redis", "mongo"))
@pytest.mark.parametrize("old", SUPERSEDED_EVENTS, ids=lambda struct: struct.TYPE)
def test_a_superseded_version_makes_the_same_writes(table, old, meta):
    """The golden bytes of an old and of the current version describe the same event, so the views come out the same."""
    current = golden(golden(old.TYPE).TYPE)
    assert msgspec.json.decode(golden_value(old.TYPE)) != msgspec.json.decode(golden_value(current.TYPE))
    assert projections.project(table, golden(old.TYPE), meta) == projections.project(table, current, meta)


@pytest.mark.parametrize("table", TABLES, ids=("redis", "mongo"))
def test_projections_are_pure(table, story, author, meta):
    """The same event makes the same writes, at any time."""
    event = story.posted(author()).event
    assert projections.project(table, event, meta) == projections.project(table, event, meta)


def test_a_cheep_record_is_the_answers_json(story, author, meta):
    """The record holds every key of the API's cheep, nulls too, its date in whole seconds."""
    bob = author()
    event = msgspec.structs.replace(story.posted(bob, "grüße 🙂").event, cheep_date=1_647_292_130_999_999)
    record = next(w for w in projections.project(projections.REDIS, event, meta) if isinstance(w, PutText))
    assert msgspec.json.decode(record.text) == {
        "cheep_id": event.cheep_id,
        "cheep_date": "2022-03-14T21:08:50+00:00",
        "cheep_message": "grüße 🙂",
        "author_id": bob,
        "author_username": event.author_username,
        "in_reply_to": None,
        "edited_at": None,
    }


def test_the_answers_of_a_cheep_are_added_to(story, author, meta):
    """An answer counts one more for the cheep that it answers, its deletion one less, and an edit nothing."""
    parent = story.posted(author()).event
    answer = story.answered(author(), parent).event
    events = [
        parent,
        answer,
        story.updated(answer, "no").event,
        story.deleted(answer).event,
        story.deleted(parent).event,
    ]
    counts = [
        (write.identifier, write.counts)
        for event in events
        for write in projections.project(projections.MONGO, event, meta)
        if isinstance(write, Increment) and write.collection == views.CHEEPS.name
    ]
    assert counts == [(parent.cheep_id, {"number_of_answers": by}) for by in (1, -1)]


def test_a_deletion_removes_every_field_of_a_cheep_except_what_others_add_to(story, author, meta):
    """The fields that the cheep's own events set are all removed, so that one that is added later is not forgotten."""
    event = story.posted(author()).event
    [removed] = [
        write
        for write in projections.project(projections.MONGO, story.deleted(event).event, meta)
        if isinstance(write, UnsetFields)
    ]
    left = set(views.CheepDocument.__struct_encode_fields__) - set(removed.fields)
    assert (
        left
        == {"_id", "number_of_answers"}
        == set(views.DeletedCheepDocument.__struct_encode_fields__) - {"deleted_at"}
    )


def test_a_cheep_fans_out_as_an_entry(story, author, meta):
    """The followers receive the packed entry of the cheep."""
    event = story.posted(author()).event
    fan_out = next(w for w in projections.project(projections.REDIS, event, meta) if isinstance(w, FanOut))
    assert views.unpack_entry(bytes.fromhex(fan_out.entry)) == (event.cheep_date, event.cheep_id)


def test_a_follow_pulls_the_followed_authors_cheeps_in(story, author, meta):
    """The follower is the reader, the followed one the author."""
    alice, bob = author(), author()
    event = story.followed(alice, bob).event
    assert PullIn(alice, bob) in projections.project(projections.REDIS, event, meta)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (CommandHandled(command_type="cheeper.follow.v1", command_key="key"), ("handled", False, None, None)),
        (
            CommandRejected(
                command_type="cheeper.follow.v1", command_key="key", code="author_not_found", message="No."
            ),
            ("rejected", False, "author_not_found", "No."),
        ),
    ],
)
def test_an_outcome_becomes_the_commands_record_in_both_stores(event, expected, meta):
    """Both stores have the same record of a command: its type, its position and its outcome."""
    (text,) = projections.project(projections.REDIS, event, meta)
    (document,) = projections.project(projections.MONGO, event, meta)
    record = msgspec.json.decode(text.text, type=views.CommandRecord)
    assert (record.status, record.changed, record.code, record.message) == expected
    assert (record.message_id, record.key, record.partition, record.sequence) == ("command", "key", 3, 7)
    assert isinstance(document, SetFields)
    assert msgspec.convert(document.fields, views.CommandRecord) == record


def test_a_commands_record_expires_seven_days_after_its_message(meta):
    """The time that counts is the message's, so a rebuild does not bring old records back."""
    (text,) = projections.project(projections.REDIS, CommandHandled(command_type="t", command_key="key"), meta)
    assert text.expires_at == 1_700_000_000 + 7 * 24 * 3600


def test_a_message_that_no_command_caused_settles_none(meta):
    """Without reply_to there is no record to write."""
    event = CommandHandled(command_type="t", command_key="key")
    assert projections.project(projections.REDIS, event, msgspec.structs.replace(meta, reply_to=None)) == ()
