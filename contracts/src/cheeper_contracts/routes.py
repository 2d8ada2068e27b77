"""Every HTTP path of Cheeper and the methods that answer there, of both services.

The gateway sends GET and HEAD to read-api and the rest to write-api, so neither service alone knows what a path
allows. Both build their routes and the Allow header of a 405 from this table.
"""

from __future__ import annotations

from typing import Final

import msgspec

HEALTH_LIVE: Final = "/health/live"
HEALTH_READY: Final = "/health/ready"
OPENAPI: Final = "/schema"


class Route(msgspec.Struct, frozen=True):
    """A path template with `{parameters}`, and who answers which methods there."""

    path: str
    queries: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    @property
    def allow(self) -> str:
        """The value of the Allow header on this path, of both services."""
        return ", ".join((*self.queries, *self.commands, "OPTIONS"))


READ: Final = ("GET", "HEAD")

AUTHORS: Final = Route("/author", commands=("POST",))
AUTHOR: Final = Route("/author/{author_id}", queries=READ)
FOLLOWERS_COUNTER: Final = Route("/author/{author_id}/followers-counter", queries=READ)
TIMELINE: Final = Route("/author/{author_id}/timeline", queries=READ)
FOLLOWS: Final = Route("/follow", commands=("POST",))
CHEEPS: Final = Route("/cheep", commands=("POST",))
CHEEP: Final = Route("/cheep/{cheep_id}", queries=READ)

ROUTES: Final = (AUTHORS, AUTHOR, FOLLOWERS_COUNTER, TIMELINE, FOLLOWS, CHEEPS, CHEEP)


def route_of(path: str) -> Route | None:
    """The route that a request's path falls on, or none."""
    parts = path.split("/")
    for route in ROUTES:
        template = route.path.split("/")
        if len(template) == len(parts) and all(
            wanted == given or (wanted.startswith("{") and given) for wanted, given in zip(template, parts, strict=True)
        ):
            return route
    return None
