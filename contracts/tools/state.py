"""The state of the contracts: all that consumers depend on, by name.

    cheeper.cheep-posted.v1   a message: its topic, its key field, the digest of its golden file, its JSON Schema
    topic.cheeper.events      a topic: its partition count, its settings, and where some keys go
    topic.cheeper.dead-letters  beside these, the headers of a copy
    views.CheepRecord         a view document: its JSON Schema
    redis.timeline            a pattern of Redis keys: an example, and the kind of value
    redis-entry               the layout of an entry of timelines and of authors' cheeps, by an example
    mongo.cheeps              a collection: its indexes
    lag                       a store's lag reports: their JSON Schema, and their place
    generations               the names of generations of views, and the place of the live one's number

Words that only describe are left out, so that a better sentence is no change of the contracts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

import msgspec

from cheeper_contracts import views
from cheeper_contracts.kafka import topics
from cheeper_contracts.kafka.dead_letters import MALFORMED, DeadLetter, to_headers
from cheeper_contracts.messages import Command, Event
from cheeper_contracts.views import generations, lag
from compatibility import Entry, State
from golden import COMMAND_ID, MOMENT, golden_file
from json_schemas import DOCUMENTS, MESSAGES, schema_of

_DESCRIBES: Final = {"$schema", "title", "description"}
_BY_NAME: Final = {"properties", "$defs"}
_KEYS: Final = tuple(str(UUID(int=number)) for number in range(8))


def of_code() -> State:
    """Return the state that the code has now."""
    return {
        **{name: of_message(struct) for name, struct in MESSAGES.items()},
        **{f"topic.{topic.name}": of_topic(topic) for topic in topics.TOPICS},
        f"topic.{topics.DEAD_LETTERS.name}": of_dead_letters(),
        **{f"views.{struct.__name__}": {"schema": _bare(schema_of(struct))} for struct in DOCUMENTS},
        **of_redis(views.KEY_PATTERNS),
        **{f"mongo.{each.name}": {"indexes": [list(index) for index in each.indexes]} for each in views.COLLECTIONS},
        "generations": of_generations(),
        "lag": of_lag(),
    }


def of_message(struct: type[Command | Event]) -> Entry:
    """Return a message's entry. One whose golden file is missing has no digest of it."""
    path = golden_file(struct.TYPE)
    return {
        "topic": (topics.COMMANDS if issubclass(struct, Command) else topics.EVENTS).name,
        "key": struct.KEY,
        "golden bytes": hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None,
        "schema": _bare(schema_of(struct)),
    }


def of_topic(topic: topics.Topic) -> Entry:
    """Return a topic's entry."""
    return {
        "partitions": topic.partitions,
        "config": topic.config,
        "partition by key": {key: topics.partition_of(key, topic.partitions) for key in _KEYS},
    }


def of_dead_letters() -> Entry:
    """Return the entry of the topic of copies, with the headers of one."""
    letter = DeadLetter(
        store="redis",
        reason=MALFORMED,
        error="it cannot be read",
        stack_digest="0123456789abcdef",
        topic=topics.EVENTS.name,
        partition=3,
        offset=17,
    )
    headers = {name: value.decode() for name, value in to_headers(letter)}
    return {**of_topic(topics.DEAD_LETTERS), "headers": headers}


def of_redis(patterns: Iterable[views.KeyPattern]) -> State:
    """Return the entries of Redis. A pattern describes its value in words; those up to the colon name the kind."""
    entry = views.pack_entry(MOMENT, COMMAND_ID).hex()
    return {
        "redis-entry": {"example": {"cheep_date": MOMENT, "cheep_id": COMMAND_ID, "hex": entry}},
        **{
            f"redis.{pattern.name}": {
                "example": pattern.key("prefix:", COMMAND_ID),
                "holds": pattern.holds.partition(":")[0],
            }
            for pattern in patterns
        },
    }


def of_generations() -> Entry:
    """Return the entry of the naming of generations."""
    numbers = (generations.FIRST, generations.FIRST + 1, 10)
    return {
        "redis prefixes": {str(number): generations.prefix_of("prefix:", number) for number in numbers},
        "mongo databases": {str(number): generations.database_of("database", number) for number in numbers},
        "redis registry": generations.registry_key("prefix:"),
        "mongo registry": [generations.REGISTRY, generations.REGISTRY_ID],
        "live": generations.LIVE,
    }


def of_lag() -> Entry:
    """Return the entry of the lag reports."""
    return {
        "schema": _bare(schema_of(lag.LagReport)),
        "redis hash": lag.lag_key("prefix:"),
        "mongo collection": lag.LAG,
        "report": lag.report_id(2, 7),
        "seconds": [lag.PERIOD_SECONDS, lag.SILENT_SECONDS],
    }


def _bare(schema: Any) -> Any:
    """Return the schema without its descriptions. Keys below `properties` and `$defs` are names and stay."""
    if isinstance(schema, list):
        return [_bare(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        keyword: {name: _bare(each) for name, each in value.items()} if keyword in _BY_NAME else _bare(value)
        for keyword, value in schema.items()
        if keyword not in _DESCRIBES
    }


def encoded(entry: Entry) -> bytes:
    """Return an entry as its file holds it."""
    return msgspec.json.format(msgspec.json.encode(entry), indent=2) + b"\n"
