"""Every HTTP path of Cheeper and its methods, of both services.

The gateway sends GET and HEAD to read-api and the rest to write-api, so neither service alone knows what a path
allows. Both build their routes and the Allow header of a 405 from this table.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from cheeper_contracts.actors import ANYONE, SENDER

HEALTH_LIVE: Final = "/health/live"
HEALTH_READY: Final = "/health/ready"
WARNING_HEADER: Final = "X-Warning"
"""On a page of readiness: what does not make the process unready, and that the gateway's /health reports as wrong."""
OPENAPI: Final = "/schema"
METRICS: Final = "/metrics"
"""In Prometheus's text format, on each process's own port; the gateway passes it as little as the health pages."""


SIGN_UPS: Final = "sign-up"
"""The limit of the addresses that sign up, beside the general one."""

READ_COST: Final = 1
POST_COST: Final = 3
FOLLOW_COST: Final = 5
MERGE_COST: Final = 10
"""The cost of a page that is merged below a timeline's floor."""
SEARCH_COST: Final = 20
STREAM_COST: Final = 5
"""The cost of opening a stream, which reads two hundred cheeps."""


class Route(msgspec.Struct, frozen=True):
    """A path template with `{parameters}`, its methods that are queries, and those that are commands.

    `reader` declares who may send the queries: the name of the parameter in the path that must be the caller's own
    author id, or a constant of `actors`. A command declares its actor itself.

    `query_cost` and `command_cost` are the units that one request takes of its caller's limit; `refund` of them are put
    back if a query was cheap after all. `command_limit` names one more limit, of the client's address.
    """

    path: str
    queries: tuple[str, ...] = ()
    reader: str | None = None
    commands: tuple[str, ...] = ()
    query_cost: int = READ_COST
    refund: int = 0
    command_cost: int = POST_COST
    command_limit: str | None = None

    @property
    def allow(self) -> str:
        """The value of the Allow header on this path, of both services."""
        return ", ".join((*self.queries, *self.commands, "OPTIONS"))


READ: Final = ("GET", "HEAD")

AUTHORS: Final = Route("/author", queries=READ, reader=ANYONE, commands=("POST",), command_limit=SIGN_UPS)
AUTHOR: Final = Route("/author/{author_id}", queries=READ, reader=ANYONE, commands=("PATCH",))
EMAIL: Final = Route("/author/{author_id}/email", commands=("PUT",))
FOLLOWERS_COUNTER: Final = Route("/author/{author_id}/followers-counter", queries=READ, reader=ANYONE)
FOLLOWERS: Final = Route("/author/{author_id}/followers", queries=READ, reader=ANYONE)
FOLLOWING: Final = Route("/author/{author_id}/following", queries=READ, reader=ANYONE)
FOLLOWED: Final = Route(
    "/author/{from_author_id}/following/{to_author_id}", commands=("DELETE",), command_cost=FOLLOW_COST
)
MUTES: Final = Route("/author/{author_id}/mutes", queries=READ, reader="author_id")
BLOCKS: Final = Route("/author/{author_id}/blocks", queries=READ, reader="author_id")
MUTED: Final = Route("/author/{author_id}/muted/{muted_id}", commands=("PUT", "DELETE"), command_cost=FOLLOW_COST)
BLOCKED: Final = Route("/author/{author_id}/blocked/{blocked_id}", commands=("PUT", "DELETE"), command_cost=FOLLOW_COST)
TIMELINE: Final = Route(
    "/author/{author_id}/timeline",
    queries=READ,
    reader=ANYONE,
    query_cost=MERGE_COST,
    refund=MERGE_COST - READ_COST,
)
TIMELINE_STREAM: Final = Route(
    "/author/{author_id}/timeline/stream", queries=READ, reader="author_id", query_cost=STREAM_COST
)
AUTHOR_CHEEPS: Final = Route("/author/{author_id}/cheeps", queries=READ, reader=ANYONE)
NOTIFICATIONS: Final = Route("/author/{author_id}/notifications", queries=READ, reader="author_id")
NOTIFICATIONS_STREAM: Final = Route(
    "/author/{author_id}/notifications/stream", queries=READ, reader="author_id", query_cost=STREAM_COST
)
NOTIFICATIONS_READ: Final = Route("/author/{author_id}/notifications/read", commands=("PUT",))
FOLLOWS: Final = Route("/follow", commands=("POST",), command_cost=FOLLOW_COST)
CHEEPS: Final = Route("/cheep", commands=("POST",))
CHEEP: Final = Route("/cheep/{cheep_id}", queries=READ, reader=ANYONE, commands=("PATCH", "DELETE"))
ANSWER: Final = Route("/cheep/{in_reply_to}/answer", commands=("POST",))
ANSWERS: Final = Route("/cheep/{cheep_id}/answers", queries=READ, reader=ANYONE)
SEARCH: Final = Route("/search", queries=READ, reader=ANYONE, query_cost=SEARCH_COST)
SEARCH_AUTHORS: Final = Route("/search/authors", queries=READ, reader=ANYONE, query_cost=SEARCH_COST)
COMMAND: Final = Route("/command/{message_id}", queries=READ, reader=SENDER)

ROUTES: Final = (
    AUTHORS,
    AUTHOR,
    EMAIL,
    FOLLOWERS_COUNTER,
    FOLLOWERS,
    FOLLOWING,
    FOLLOWED,
    MUTES,
    BLOCKS,
    MUTED,
    BLOCKED,
    TIMELINE,
    TIMELINE_STREAM,
    AUTHOR_CHEEPS,
    NOTIFICATIONS,
    NOTIFICATIONS_STREAM,
    NOTIFICATIONS_READ,
    FOLLOWS,
    CHEEPS,
    CHEEP,
    ANSWER,
    ANSWERS,
    SEARCH,
    SEARCH_AUTHORS,
    COMMAND,
)

_PATHS: Final = re.compile("|".join(f"({re.sub('{[^}]+}', '[^/]++', route.path)})" for route in ROUTES))


def route_of(path: str) -> Route | None:
    """Return the route of a request's path, or None."""
    found = _PATHS.fullmatch(path)
    return ROUTES[found.lastindex - 1] if found and found.lastindex else None


def template_of(path: str) -> str | None:
    """Return the template of a request's path, such as `/author/{author_id}`, or None."""
    route = route_of(path)
    return None if route is None else route.path
