"""What may be asked over HTTP: a literal table from route to query, and how OpenAPI describes a row of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Operation

from cheeper_contracts import routes
from cheeper_contracts.answers import Answer, Problem
from cheeper_contracts.routes import Route
from read_api.http.parameter_table import (
    AUTHOR_ID,
    BY_AUTHOR,
    CHEEP_ID,
    LIST,
    MESSAGE_ID,
    OFFSET,
    SEARCH,
    USERNAME,
    WAIT,
)
from read_api.http.parameters import Parameter
from read_api.queries.author import Author, AuthorProfile
from read_api.queries.author_by_username import AuthorByUsername
from read_api.queries.author_cheeps import AuthorCheeps
from read_api.queries.cheep import Cheep, CheepWithAnswers
from read_api.queries.cheep_answers import CheepAnswers
from read_api.queries.command import Command, CommandStatus
from read_api.queries.follow_lists import FollowAuthors
from read_api.queries.followers import Followers
from read_api.queries.followers_counter import FollowersCounter, NumberOfFollowers
from read_api.queries.following import Following
from read_api.queries.notifications import NotificationList, Notifications
from read_api.queries.search_authors import FoundAuthors, SearchAuthors
from read_api.queries.search_cheeps import FoundCheeps, SearchCheeps
from read_api.queries.shapes import CheepList
from read_api.queries.timeline import Timeline
from read_api.query_bus.query import Query


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A route, the query that it asks, the parameters that it takes, and the shape of `data` in its answer."""

    route: Route
    query: type[Query]
    data: type[msgspec.Struct]
    parameters: tuple[Parameter, ...]


ENDPOINTS: Final = (
    Endpoint(route=routes.AUTHORS, query=AuthorByUsername, data=AuthorProfile, parameters=(USERNAME, *WAIT)),
    Endpoint(route=routes.AUTHOR, query=Author, data=AuthorProfile, parameters=(AUTHOR_ID, *WAIT)),
    Endpoint(
        route=routes.FOLLOWERS_COUNTER, query=FollowersCounter, data=NumberOfFollowers, parameters=(AUTHOR_ID, *WAIT)
    ),
    Endpoint(route=routes.FOLLOWERS, query=Followers, data=FollowAuthors, parameters=(AUTHOR_ID, *LIST, *WAIT)),
    Endpoint(route=routes.FOLLOWING, query=Following, data=FollowAuthors, parameters=(AUTHOR_ID, *LIST, *WAIT)),
    Endpoint(route=routes.TIMELINE, query=Timeline, data=CheepList, parameters=(AUTHOR_ID, *LIST, OFFSET, *WAIT)),
    Endpoint(route=routes.AUTHOR_CHEEPS, query=AuthorCheeps, data=CheepList, parameters=(AUTHOR_ID, *LIST, *WAIT)),
    Endpoint(
        route=routes.NOTIFICATIONS, query=Notifications, data=NotificationList, parameters=(AUTHOR_ID, *LIST, *WAIT)
    ),
    Endpoint(route=routes.CHEEP, query=Cheep, data=CheepWithAnswers, parameters=(CHEEP_ID, *WAIT)),
    Endpoint(route=routes.ANSWERS, query=CheepAnswers, data=CheepList, parameters=(CHEEP_ID, *LIST, *WAIT)),
    Endpoint(route=routes.SEARCH, query=SearchCheeps, data=FoundCheeps, parameters=(*SEARCH, BY_AUTHOR, *WAIT)),
    Endpoint(route=routes.SEARCH_AUTHORS, query=SearchAuthors, data=FoundAuthors, parameters=(*SEARCH, *WAIT)),
    Endpoint(route=routes.COMMAND, query=Command, data=CommandStatus, parameters=(MESSAGE_ID, *WAIT)),
)

PROBLEMS: Final = {
    404: "no_such_path, or there is nothing of that id",
    405: "method_not_allowed, with Allow",
    422: "invalid, with all wrong fields",
    500: "internal: a defect",
    503: "unavailable, with Retry-After",
}


def documented(endpoints: Iterable[Endpoint] = ENDPOINTS) -> list[HTTPRouteHandler]:
    """A handler for each row of the table, for OpenAPI: who answers is `answering`."""
    return [_documented(endpoint) for endpoint in endpoints]


def answered(data: Any) -> dict[int, ResponseSpec]:
    """How OpenAPI describes the answers of a query."""
    described = {
        status: ResponseSpec(Answer[Problem], description=text, generate_examples=False)
        for status, text in PROBLEMS.items()
    }
    return {200: ResponseSpec(Answer[data], description="The answer", generate_examples=False), **described}


def _documented(endpoint: Endpoint) -> HTTPRouteHandler:
    async def answer() -> Response[Any]:
        raise NotImplementedError

    return get(
        endpoint.route.path.replace("}", ":str}"),
        name=endpoint.query.__name__,
        summary=(endpoint.query.__doc__ or "").partition("\n")[0],
        operation_id=endpoint.query.__name__,
        operation_class=_operation(endpoint.parameters),
        responses=answered(endpoint.data),
    )(answer)


def _operation(parameters: tuple[Parameter, ...]) -> type[Operation]:
    """An operation that is documented by our table of parameters, not by a handler's signature."""

    @dataclass
    class TabledOperation(Operation):
        def __post_init__(self) -> None:
            self.parameters = [parameter.documented() for parameter in parameters]
            self.responses = {
                status: response for status, response in (self.responses or {}).items() if status != "400"
            }

    return TabledOperation
