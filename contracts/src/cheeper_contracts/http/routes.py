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


class Route(msgspec.Struct, frozen=True):
    """A path template with `{parameters}`, its methods that are queries, and those that are commands.

    `reader` declares who may send the queries: the name of the parameter in the path that must be the caller's own
    author id, or a constant of `actors`. A command declares its actor itself.
    """

    path: str
    queries: tuple[str, ...] = ()
    reader: str | None = None
    commands: tuple[str, ...] = ()

    @property
    def allow(self) -> str:
        """The value of the Allow header on this path, of both services."""
        return ", ".join((*self.queries, *self.commands, "OPTIONS"))


READ: Final = ("GET", "HEAD")

AUTHORS: Final = Route("/author", queries=READ, reader=ANYONE, commands=("POST",))
AUTHOR: Final = Route("/author/{author_id}", queries=READ, reader=ANYONE, commands=("PATCH",))
EMAIL: Final = Route("/author/{author_id}/email", commands=("PUT",))
FOLLOWERS_COUNTER: Final = Route("/author/{author_id}/followers-counter", queries=READ, reader=ANYONE)
FOLLOWERS: Final = Route("/author/{author_id}/followers", queries=READ, reader=ANYONE)
FOLLOWING: Final = Route("/author/{author_id}/following", queries=READ, reader=ANYONE)
FOLLOWED: Final = Route("/author/{from_author_id}/following/{to_author_id}", commands=("DELETE",))
TIMELINE: Final = Route("/author/{author_id}/timeline", queries=READ, reader=ANYONE)
AUTHOR_CHEEPS: Final = Route("/author/{author_id}/cheeps", queries=READ, reader=ANYONE)
NOTIFICATIONS: Final = Route("/author/{author_id}/notifications", queries=READ, reader="author_id")
FOLLOWS: Final = Route("/follow", commands=("POST",))
CHEEPS: Final = Route("/cheep", commands=("POST",))
CHEEP: Final = Route("/cheep/{cheep_id}", queries=READ, reader=ANYONE, commands=("PATCH", "DELETE"))
ANSWER: Final = Route("/cheep/{in_reply_to}/answer", commands=("POST",))
ANSWERS: Final = Route("/cheep/{cheep_id}/answers", queries=READ, reader=ANYONE)
SEARCH: Final = Route("/search", queries=READ, reader=ANYONE)
SEARCH_AUTHORS: Final = Route("/search/authors", queries=READ, reader=ANYONE)
COMMAND: Final = Route("/command/{message_id}", queries=READ, reader=SENDER)

ROUTES: Final = (
    AUTHORS,
    AUTHOR,
    EMAIL,
    FOLLOWERS_COUNTER,
    FOLLOWERS,
    FOLLOWING,
    FOLLOWED,
    TIMELINE,
    AUTHOR_CHEEPS,
    NOTIFICATIONS,
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
