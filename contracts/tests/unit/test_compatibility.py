"""Each break of the contracts, made in a copy of their state or of a struct, is found and named."""

from copy import deepcopy
from typing import Literal

import msgspec
import pytest

import state
from cheeper_contracts import views
from cheeper_contracts.events.author_notified import AuthorNotified
from cheeper_contracts.kafka import topics
from cheeper_contracts.messages import Command, Event
from cheeper_contracts.views import generations, lag
from compatibility import breaks

pytestmark = pytest.mark.proves(guarantee="contracts")

NOTIFIED = AuthorNotified.TYPE
NOW = state.of_code()
OPTIONAL = (str | None, None)


def variant(base=Event, less=(), type_name=NOTIFIED, key="author_id", **more):
    """AuthorNotified as it would be with these fields, given as (type, default…), and without those."""
    annotations = {"notification_id": (str,), "author_id": (str,), "notified_at": (int,)}
    annotations |= {"kind": (Literal["welcome", "new_follower", "answer"],)}
    annotations |= {"from_author_id": OPTIONAL, "cheep_id": OPTIONAL, **more}
    fields = [(name, *given) for name, given in annotations.items() if name not in less]
    constants = {"TYPE": type_name, "KEY": key}
    return msgspec.defstruct("AuthorNotified", fields, bases=(base,), namespace=constants, frozen=True, kw_only=True)


def with_struct(struct):
    """Return the state with another struct for AuthorNotified."""
    return {**{name: entry for name, entry in NOW.items() if name != NOTIFIED}, struct.TYPE: state.of_message(struct)}


def test_nothing_is_broken_where_nothing_changed():
    """An unchanged variant breaks nothing, so the other tests show the effect of their own change."""
    assert breaks(NOW, NOW) == {}
    assert breaks(NOW, with_struct(variant())) == {}


@pytest.mark.parametrize(
    ("struct", "why"),
    [
        (variant(less=["notified_at"]), "the field notified_at is gone"),
        (variant(less=["cheep_id"]), "the field cheep_id is gone"),
        (variant(notified_at=(str,)), 'the field notified_at was {"type": "integer"} and is {"type": "string"}'),
        (variant(notified_at=(float,)), 'the field notified_at was {"type": "integer"} and is {"type": "number"}'),
        (variant(author_id=(str | None,)), "the field author_id was"),
        (variant(cheep_id=(str,)), "the field cheep_id is required, and could be left out"),
        (variant(cheep_id=(str | None,)), "the field cheep_id is required, and could be left out"),
        (variant(cheep_id=(str | None, "none")), "the field cheep_id was"),
        (variant(notified_at=(int, 0)), "the field notified_at was required, and may be left out"),
        (variant(reason=(str,)), "the field reason is required, and new"),
        (variant(kind=(Literal["welcome", "answer"],)), "the field kind was"),
        (variant(kind=(Literal["welcome", "new_follower", "answer", "like"],)), "the field kind was"),
        (variant(key="notification_id"), 'key was "author_id" and is "notification_id"'),
        (variant(base=Command), 'topic was "cheeper.events" and is "cheeper.commands"'),
        (variant(type_name="cheeper.author-informed.v1"), "is gone"),
        (variant(type_name="cheeper.author-notified.v2"), "is gone"),
    ],
)
def test_a_struct_that_breaks_consumers_is_named(struct, why):
    """A change breaks if old messages could not be read any more, or if old consumers could not read new ones."""
    ((name, sentences),) = breaks(NOW, with_struct(struct)).items()
    assert name == NOTIFIED
    assert any(sentence.startswith(why) for sentence in sentences)


@pytest.mark.parametrize("added", [OPTIONAL, (int, 0), (list[str], []), (str | msgspec.UnsetType, msgspec.UNSET)])
def test_an_optional_field_may_be_added(added):
    """Old messages are read with its default, and old consumers pass over it."""
    assert breaks(NOW, with_struct(variant(note=added))) == {}


def test_a_nested_struct_is_held_to_the_same():
    """A field of a struct within a message is a field of the message, so its removal is a break."""
    one, less, more = (msgspec.defstruct("Note", fields) for fields in (["a", "b"], ["a"], ["a", "b", ("c", int, 0)]))
    old = with_struct(variant(note=(one | None, None)))
    assert breaks(old, with_struct(variant(note=(less | None, None)))) == {NOTIFIED: ["Note: the field b is gone"]}
    assert breaks(old, with_struct(variant(note=(more | None, None)))) == {}


def test_a_closed_schema_is_stricter():
    """A message that refuses unknown fields could not be given another one."""
    closed = msgspec.defstruct("AuthorNotified", [], bases=(variant(),), forbid_unknown_fields=True, kw_only=True)
    assert breaks(NOW, with_struct(closed)) == {NOTIFIED: ["additionalProperties was null and is false"]}


def test_a_topic_may_gain_a_setting():
    """A default of the broker may be replaced by a setting, and a setting stays as it was."""
    name, config = "topic.cheeper.commands", dict(topics.COMMANDS.config)
    assert breaks(NOW, NOW | another(topics.COMMANDS, config={**config, "compression.type": "zstd"})) == {}
    config.pop("retention.ms")
    assert list(breaks(NOW, NOW | another(topics.COMMANDS, config=config))) == [name]


def another(topic, **change):
    return {f"topic.{topic.name}": state.of_topic(msgspec.structs.replace(topic, **change))}


MUTATIONS = {
    "changed golden bytes": (NOTIFIED, {NOTIFIED: NOW[NOTIFIED] | {"golden bytes": "0" * 64}}, "golden bytes was"),
    "a golden file that was deleted": (
        NOTIFIED,
        {NOTIFIED: NOW[NOTIFIED] | {"golden bytes": None}},
        "golden bytes was",
    ),
    "a removed message": (NOTIFIED, {NOTIFIED: None}, "is gone"),
    "another topic name": ("topic.cheeper.events", {"topic.cheeper.events": None}, "is gone"),
    "more partitions": ("topic.cheeper.events", another(topics.EVENTS, partitions=9), "partitions was 8 and is 9"),
    "another retention": (
        "topic.cheeper.commands",
        another(topics.COMMANDS, config={**topics.COMMANDS.config, "retention.ms": "1"}),
        "config was",
    ),
    "another partitioner": (
        "topic.cheeper.events",
        {"topic.cheeper.events": NOW["topic.cheeper.events"] | {"partition by key": {}}},
        "partition by key was",
    ),
    "another Redis key": (
        "redis.timeline",
        state.of_redis([msgspec.structs.replace(views.TIMELINE, name="feed")]) | {"redis.timeline": None},
        "is gone",
    ),
    "another kind of Redis value": (
        "redis.timeline",
        state.of_redis([msgspec.structs.replace(views.TIMELINE, holds="sorted set: entries")]),
        'holds was "list, newest first" and is "sorted set"',
    ),
    "a removed document": ("views.CheepRecord", {"views.CheepRecord": None}, "is gone"),
    "a removed collection": ("mongo.cheeps", {"mongo.cheeps": None}, "is gone"),
    "a removed index": (
        "mongo.cheeps",
        {"mongo.cheeps": {"indexes": NOW["mongo.cheeps"]["indexes"][1:]}},
        "the index on in_reply_to, cheep_date, _id is gone",
    ),
}


@pytest.mark.parametrize(("name", "mutation", "why"), MUTATIONS.values(), ids=MUTATIONS)
def test_what_else_breaks_consumers_is_named(name, mutation, why):
    """Topics, keys, collections and golden files are contracts as messages are."""
    mutated = {key: entry for key, entry in (deepcopy(NOW) | mutation).items() if entry is not None}
    ((broken, sentences),) = breaks(NOW, mutated).items()
    assert broken == name
    assert any(sentence.startswith(why) for sentence in sentences)


@pytest.mark.parametrize("place", ["stem", "pack_entry"])
def test_the_form_of_keys_and_entries_is_held_by_examples(monkeypatch, place):
    """Another prefix or shard tag breaks every key, another layout the entries."""
    changed = {"stem": lambda prefix: prefix + "{1}:", "pack_entry": lambda date, _: str(date).encode()}
    monkeypatch.setattr(views.redis if place == "stem" else views, place, changed[place])
    patterns = {f"redis.{pattern.name}" for pattern in views.KEY_PATTERNS}
    assert set(breaks(NOW, state.of_code())) == (patterns if place == "stem" else {"redis-entry"})


@pytest.mark.parametrize("what", ["prefix_of", "database_of", "registry_key", "LIVE"])
def test_the_names_of_generations_are_held_by_examples(monkeypatch, what):
    """A reader that looks elsewhere than the switch writes would show the old generation for ever."""
    monkeypatch.setattr(generations, what, "shown" if what == "LIVE" else lambda *_: "elsewhere")
    assert set(breaks(NOW, state.of_code())) == {"generations"}


@pytest.mark.parametrize("what", ["lag_key", "report_id", "LAG", "PERIOD_SECONDS"])
def test_the_keys_of_lag_reports_are_held_by_examples(monkeypatch, what):
    """A reader that reads elsewhere, or expects reports more often, would count every view as late."""
    monkeypatch.setattr(lag, what, "late" if what.isupper() else lambda *_: "elsewhere")
    assert set(breaks(NOW, state.of_code())) == {"lag"}


def test_a_view_document_is_held_to_the_same(monkeypatch):
    """A document that lost a field is named; a better sentence about it breaks nothing."""
    less = msgspec.defstruct("FollowDocument", [("follow_key", str, msgspec.field(name="_id"))])
    less.__doc__ = "Another sentence."
    monkeypatch.setattr(
        state, "DOCUMENTS", (*(each for each in state.DOCUMENTS if each is not views.FollowDocument), less)
    )
    missing = [f"the field {name} is gone" for name in ("from_author_id", "to_author_id", "followed_at")]
    assert breaks(NOW, state.of_code()) == {"views.FollowDocument": missing}


def test_what_is_new_breaks_nothing():
    """A message, a topic, a key, a setting of an entry that nobody has seen yet."""
    assert breaks({name: entry for name, entry in NOW.items() if name != NOTIFIED}, NOW) == {}
    assert breaks({NOTIFIED: {"key": "author_id"}}, NOW) == {}
