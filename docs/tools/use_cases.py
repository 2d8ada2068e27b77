"""Each use case as the code's own tables define it: from a request to the queries that show its effects.

Two tables are kept here: the queries that read a view (`SHOWN_BY`) and the keys that a write touches (`TOUCHED_BY`).
Whatever is missing in them is an error.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from cheeper_contracts import views
from cheeper_contracts.catalogue import LEADS_TO
from cheeper_contracts.http import routes
from cheeper_contracts.http.routes import Route
from cheeper_contracts.kafka.codec import decode_event
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_contracts.messages import Command, Event
from cheeper_contracts.views import Collection, KeyPattern
from projector import projections
from projector.projections import writes
from projector.projections.meta import meta_of
from read_api.http.endpoints import ENDPOINTS, Endpoint
from write_api.features import FEATURES, Feature
from write_api.http.forms import form_of
from write_api.process_managers import PROCESS_MANAGERS, ProcessManager

ROOT: Final = Path(__file__).resolve().parents[2]

SHOWN_BY: Final[Mapping[KeyPattern | Collection, tuple[Route, ...]]] = {
    views.AUTHOR_COUNTERS: (routes.FOLLOWERS_COUNTER,),
    views.FOLLOWERS: (),  # read by the projector alone: whom a cheep goes out to
    views.FOLLOWING: (routes.TIMELINE,),
    views.MUTERS: (),  # read by the projector alone: whom a cheep does not go out to
    views.MUTED: (routes.TIMELINE,),
    views.CHEEP_RECORD: (routes.TIMELINE,),
    views.AUTHOR_CHEEPS: (routes.TIMELINE,),
    views.TIMELINE: (routes.TIMELINE,),
    views.COMMAND_RECORD: (routes.COMMAND,),
    views.AUTHORS: (
        routes.AUTHORS,
        routes.AUTHOR,
        routes.FOLLOWERS,  # for the names
        routes.FOLLOWING,
        routes.MUTES,
        routes.BLOCKS,
        routes.AUTHOR_CHEEPS,  # whether there is such an author
        routes.NOTIFICATIONS,
        routes.SEARCH_AUTHORS,
    ),
    views.FOLLOWS: (routes.FOLLOWERS, routes.FOLLOWING),
    views.CHEEPS: (routes.AUTHOR_CHEEPS, routes.NOTIFICATIONS, routes.CHEEP, routes.ANSWERS, routes.SEARCH),
    views.NOTIFICATIONS: (routes.NOTIFICATIONS,),
    views.MUTES: (routes.MUTES, routes.NOTIFICATIONS),
    views.BLOCKS: (routes.BLOCKS, routes.NOTIFICATIONS),
    views.COMMANDS: (routes.COMMAND,),
}
"""The queries that read a view."""

TOUCHED_BY: Final[Mapping[type[Any], Callable[[Any], Sequence[str]]]] = {
    writes.SetField: lambda _: [views.AUTHOR_COUNTERS.name],
    writes.AddMember: lambda write: [views.AUTHOR_COUNTERS.name, write.set_name],
    writes.RemoveMember: lambda write: [views.AUTHOR_COUNTERS.name, write.set_name],
    writes.AddToSet: lambda write: [write.set_name],
    writes.RemoveFromSet: lambda write: [write.set_name],
    writes.PutText: lambda write: [write.key_name],
    writes.RemoveText: lambda write: [write.key_name],
    writes.AddOwnCheep: lambda _: [views.AUTHOR_COUNTERS.name, views.AUTHOR_CHEEPS.name],
    writes.RemoveOwnCheep: lambda _: [views.AUTHOR_COUNTERS.name, views.AUTHOR_CHEEPS.name],
    writes.FanOut: lambda _: [views.TIMELINE.name],
    writes.PullIn: lambda _: [views.TIMELINE.name],
    writes.TakeOut: lambda _: [views.TIMELINE.name],
    writes.ReportNotifications: lambda _: [],  # likewise
    writes.ReportRecord: lambda _: [],  # no key: a message to the streams of timelines
}
"""The names of the key patterns that a write to Redis touches; one to MongoDB names its collection."""

RECORDS: Final = (views.COMMAND_RECORD, views.COMMANDS)
"""The writes of every message, which are left out of the writes of a use case."""


class UseCase(msgspec.Struct, frozen=True, kw_only=True):
    """A command on its way, and what of it stands in the views. `request` is empty where no client sends it."""

    command: type[Command]
    request: str
    transport: str
    handler: Path
    event: type[Event]
    redis: tuple[KeyPattern, ...]
    mongo: tuple[Collection, ...]


def all_use_cases() -> list[UseCase]:
    """One for each command, in the catalogue's order."""
    features = {feature.command: feature for feature in FEATURES}
    return [_use_case(features[command], event) for command, event in LEADS_TO.items()]


def queries_of(shown: Sequence[KeyPattern | Collection]) -> list[str]:
    """The requests that read any of these views, in the order of the routes."""
    found = {route for view in shown for route in SHOWN_BY[view]}
    return [request_for(endpoint) for endpoint in ENDPOINTS if endpoint.route in found]


def request_for(query: Endpoint) -> str:
    """Return the method and the path of a query, with the parameters that it requires."""
    needed = [each.name for each in query.parameters if each.place == "query" and each.required]
    return _request("GET", query.route.path, needed)


def reactions_of(event: type[Event]) -> list[tuple[ProcessManager, type[Command]]]:
    """The process managers of an event, each with the command that it makes of the golden example."""
    example = example_of(event)
    made = [(manager, manager(example, _envelope_of(example))) for manager in PROCESS_MANAGERS.get(event, ())]
    return [(manager, type(command)) for manager, command in made if command is not None]


def request_of(feature: Feature) -> str:
    """Return method and path of a command's endpoint, with the parameters that it needs; empty if it has none."""
    endpoint = feature.endpoint
    if endpoint is None:
        return ""
    form = form_of(feature.command, endpoint.method, endpoint.route, endpoint.new_id)
    return _request(
        endpoint.method, endpoint.route.path, [name for name, field in form.query.items() if field.required]
    )


def unknown() -> list[str]:
    """The views and queries that `SHOWN_BY` says nothing of."""
    missing = [view.name for view in (*views.KEY_PATTERNS, *views.COLLECTIONS) if view.lag_ms and view not in SHOWN_BY]
    shown = {route for by in SHOWN_BY.values() for route in by}
    return missing + [endpoint.route.path for endpoint in ENDPOINTS if endpoint.route not in shown]


def file_of(thing: Any) -> Path:
    """Return the file of a function or class, relative to the root."""
    return Path(inspect.getfile(thing)).resolve().relative_to(ROOT)


def example_of(event: type[Event]) -> Event:
    """The golden example of an event."""
    golden = (ROOT / "contracts" / "examples" / f"{event.TYPE}.message").read_bytes()
    return decode_event(event.TYPE, golden.partition(b"\n\n")[2])


def _use_case(feature: Feature, event: type[Event]) -> UseCase:
    return UseCase(
        command=feature.command,
        request=request_of(feature),
        transport=feature.transport.value,
        handler=file_of(feature.handler),
        event=event,
        redis=_redis_of(event),
        mongo=_mongo_of(event),
    )


def _request(method: str, path: str, needed: Sequence[str]) -> str:
    return f"{method} {path}{'?' if needed else ''}{'&'.join(f'{name}=' for name in needed)}"


def _redis_of(event: type[Event]) -> tuple[KeyPattern, ...]:
    found = _projected(projections.REDIS, event)
    names = {name for write in found for name in TOUCHED_BY[type(write)](write)}
    return tuple(pattern for pattern in views.KEY_PATTERNS if pattern.name in names and pattern not in RECORDS)


def _mongo_of(event: type[Event]) -> tuple[Collection, ...]:
    names = {write.collection for write in _projected(projections.MONGO, event)}
    return tuple(each for each in views.COLLECTIONS if each.name in names and each not in RECORDS)


def _projected(table: projections.Table[Any], event: type[Event]) -> tuple[Any, ...]:
    example = example_of(event)
    return projections.project(table, example, meta_of(_envelope_of(example), partition=0, sequence=1))


def _envelope_of(event: Event) -> Envelope:
    return Envelope(
        message_id="0195a1c8-52f9-7b1f-8a27-90f0c7b45e22",
        type=event.TYPE,
        source="/docs",
        time=1_647_292_130_123_456,
        key=event.key,
        correlation_id="0195a1c8-52f4-7c7e-9d3a-4f6b2a1c0d11",
        reply_to="0195a1c8-52f4-7c7e-9d3a-4f6b2a1c0d11",
    )
