"""The endpoints: a literal table from each route to its query."""

from __future__ import annotations

from typing import Final

import msgspec

from cheeper_contracts.http import routes
from cheeper_contracts.http.routes import Route
from read_api.http.parameter_table import (
    AUTHOR_ID,
    BY_AUTHOR,
    CHEEP_ID,
    LAST_EVENT_ID,
    LIST,
    MESSAGE_ID,
    OFFSET,
    OWN,
    SEARCH,
    STREAM_CURSOR,
    USERNAME,
    WAIT,
)
from read_api.http.parameters import Parameter
from read_api.queries.author import Author, AuthorProfile
from read_api.queries.author_by_username import AuthorByUsername
from read_api.queries.author_cheeps import AuthorCheeps
from read_api.queries.blocks import BlockedAuthors, Blocks
from read_api.queries.cheep import Cheep, CheepWithAnswers
from read_api.queries.cheep_answers import CheepAnswers
from read_api.queries.command import Command, CommandStatus
from read_api.queries.follow_lists import FollowAuthors
from read_api.queries.followers import Followers
from read_api.queries.followers_counter import FollowersCounter, NumberOfFollowers
from read_api.queries.following import Following
from read_api.queries.mutes import MutedAuthors, Mutes
from read_api.queries.notifications import NotificationList, Notifications
from read_api.queries.search_authors import FoundAuthors, SearchAuthors
from read_api.queries.search_cheeps import FoundCheeps, SearchCheeps
from read_api.queries.shapes import CheepList
from read_api.queries.timeline import Timeline
from read_api.query_bus.paging import ListQuery
from read_api.query_bus.query import Query


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A route, its query, the parameters that it takes, and the shape of `data` in the response. A `private` response
    concerns one author or one command, and no cache may store it.
    """

    route: Route
    query: type[Query]
    data: type[msgspec.Struct]
    parameters: tuple[Parameter, ...]
    private: bool = False


class StreamedEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A route whose response is a stream of events: its name, what it streams in one sentence, the query for that, the
    parameters that it takes, and the header with the last event's id.
    """

    route: Route
    name: str
    about: str
    query: type[ListQuery]
    parameters: tuple[Parameter, ...]
    last_event_id: Parameter


ENDPOINTS: Final = (
    Endpoint(route=routes.AUTHORS, query=AuthorByUsername, data=AuthorProfile, parameters=(USERNAME, *WAIT)),
    Endpoint(route=routes.AUTHOR, query=Author, data=AuthorProfile, parameters=(AUTHOR_ID, *WAIT)),
    Endpoint(
        route=routes.FOLLOWERS_COUNTER, query=FollowersCounter, data=NumberOfFollowers, parameters=(AUTHOR_ID, *WAIT)
    ),
    Endpoint(route=routes.FOLLOWERS, query=Followers, data=FollowAuthors, parameters=(AUTHOR_ID, *LIST, *WAIT)),
    Endpoint(route=routes.FOLLOWING, query=Following, data=FollowAuthors, parameters=(AUTHOR_ID, *LIST, *WAIT)),
    Endpoint(route=routes.MUTES, query=Mutes, data=MutedAuthors, parameters=(AUTHOR_ID, *LIST, *WAIT), private=True),
    Endpoint(
        route=routes.BLOCKS, query=Blocks, data=BlockedAuthors, parameters=(AUTHOR_ID, *LIST, *WAIT), private=True
    ),
    Endpoint(
        route=routes.TIMELINE,
        query=Timeline,
        data=CheepList,
        parameters=(AUTHOR_ID, *LIST, OFFSET, OWN, *WAIT),
        private=True,
    ),
    Endpoint(route=routes.AUTHOR_CHEEPS, query=AuthorCheeps, data=CheepList, parameters=(AUTHOR_ID, *LIST, *WAIT)),
    Endpoint(
        route=routes.NOTIFICATIONS,
        query=Notifications,
        data=NotificationList,
        parameters=(AUTHOR_ID, *LIST, *WAIT),
        private=True,
    ),
    Endpoint(route=routes.CHEEP, query=Cheep, data=CheepWithAnswers, parameters=(CHEEP_ID, *WAIT)),
    Endpoint(route=routes.ANSWERS, query=CheepAnswers, data=CheepList, parameters=(CHEEP_ID, *LIST, *WAIT)),
    Endpoint(route=routes.SEARCH, query=SearchCheeps, data=FoundCheeps, parameters=(*SEARCH, BY_AUTHOR, *WAIT)),
    Endpoint(route=routes.SEARCH_AUTHORS, query=SearchAuthors, data=FoundAuthors, parameters=(*SEARCH, *WAIT)),
    Endpoint(route=routes.COMMAND, query=Command, data=CommandStatus, parameters=(MESSAGE_ID, *WAIT), private=True),
)

STREAMED: Final = (
    StreamedEndpoint(
        route=routes.TIMELINE_STREAM,
        name="TimelineStream",
        about="The changes of a timeline, as Server-Sent Events.",
        query=Timeline,
        parameters=(AUTHOR_ID, STREAM_CURSOR, OWN),
        last_event_id=LAST_EVENT_ID,
    ),
    StreamedEndpoint(
        route=routes.NOTIFICATIONS_STREAM,
        name="NotificationStream",
        about="The changes of an author's notifications, as Server-Sent Events.",
        query=Notifications,
        parameters=(AUTHOR_ID, STREAM_CURSOR),
        last_event_id=LAST_EVENT_ID,
    ),
)
"""The endpoints whose responses are streams."""
