"""The effects of an event: the rows, keys and documents that it changes, and the queries that show it.

The projector's projections decide what is written; `test_effects.py` compares this table with them. An event of a type
that is missing here has the record of its command, which every event has, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from cheeper_contracts import views
from cheeper_contracts.events.author_blocked import AuthorBlocked
from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.events.author_muted import AuthorMuted
from cheeper_contracts.events.author_notified import AuthorNotified
from cheeper_contracts.events.author_unblocked import AuthorUnblocked
from cheeper_contracts.events.author_unfollowed import AuthorUnfollowed
from cheeper_contracts.events.author_unmuted import AuthorUnmuted
from cheeper_contracts.events.cheep_answered import CheepAnswered
from cheeper_contracts.events.cheep_deleted import CheepDeleted
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.events.cheep_updated import CheepUpdated
from cheeper_contracts.events.email_changed import EmailChanged
from cheeper_contracts.events.follow_of_blocked_ended import FollowOfBlockedEnded
from cheeper_contracts.events.new_author_signed import NewAuthorSigned
from cheeper_contracts.events.notifications_read import NotificationsRead
from cheeper_contracts.events.profile_updated import ProfileUpdated
from cheeper_contracts.http import routes
from cheeper_contracts.messages import Event


class KeyRef(msgspec.Struct, frozen=True):
    """A key of Redis, and of a list or set the one element that is meant."""

    pattern: views.KeyPattern
    identifier: str
    element: bytes | None = None


class DocumentRef(msgspec.Struct, frozen=True):
    """A document of MongoDB."""

    collection: views.Collection
    identifier: str


class RowRef(msgspec.Struct, frozen=True):
    """A row of the write model. The key of a follow is the followed author's id and the follower's."""

    table: str
    identifier: tuple[str, ...]


class Effects(msgspec.Struct, frozen=True, kw_only=True):
    """The effects of an event. `fan_out` is the author to whose followers' timelines it goes, and the entry there."""

    rows: tuple[RowRef, ...] = ()
    keys: tuple[KeyRef, ...] = ()
    documents: tuple[DocumentRef, ...] = ()
    queries: tuple[str, ...] = ()
    fan_out: tuple[str, bytes] | None = None


def effects_of(event: Event, command_id: str | None) -> Effects:
    """Return the effects of an event that the command with this id has led to."""
    of_type = _TABLE.get(type(event))
    found = Effects() if of_type is None else of_type(event)
    if command_id is None:
        return found
    return msgspec.structs.replace(
        found,
        keys=(*found.keys, KeyRef(views.COMMAND_RECORD, command_id)),
        documents=(*found.documents, DocumentRef(views.COMMANDS, command_id)),
        queries=(*found.queries, _path(routes.COMMAND, message_id=command_id)),
    )


def _signed(event: NewAuthorSigned) -> Effects:
    return Effects(
        rows=(RowRef("authors", (event.author_id,)),),
        keys=(KeyRef(views.AUTHOR_COUNTERS, event.author_id),),
        documents=(DocumentRef(views.AUTHORS, event.author_id),),
        queries=(
            _path(routes.AUTHOR, author_id=event.author_id),
            _path(routes.FOLLOWERS_COUNTER, author_id=event.author_id),
            f"{routes.SEARCH_AUTHORS.path}?q={event.username}",
        ),
    )


def _profile(event: ProfileUpdated) -> Effects:
    return Effects(
        rows=(RowRef("authors", (event.author_id,)),),
        documents=(DocumentRef(views.AUTHORS, event.author_id),),
        queries=(
            _path(routes.AUTHOR, author_id=event.author_id),
            f"{routes.SEARCH_AUTHORS.path}?q={event.username}",
        ),
    )


def _email(event: EmailChanged) -> Effects:
    return Effects(rows=(RowRef("authors", (event.author_id,)),))


def _follow(event: AuthorFollowed | AuthorUnfollowed | FollowOfBlockedEnded) -> Effects:
    return _follow_of(event.from_author_id, event.to_author_id)


def _follow_of(follower: str, followed: str) -> Effects:
    return Effects(
        rows=(RowRef("follows", (followed, follower)),),
        keys=(
            KeyRef(views.FOLLOWERS, followed, follower.encode()),
            KeyRef(views.AUTHOR_COUNTERS, followed),
            KeyRef(views.FOLLOWING, follower, followed.encode()),
            KeyRef(views.AUTHOR_COUNTERS, follower),
            KeyRef(views.TIMELINE, follower),
        ),
        documents=(
            DocumentRef(views.FOLLOWS, f"{follower} {followed}"),
            DocumentRef(views.AUTHORS, followed),
            DocumentRef(views.AUTHORS, follower),
        ),
        queries=(
            _path(routes.FOLLOWERS, author_id=followed),
            _path(routes.FOLLOWING, author_id=follower),
            _path(routes.FOLLOWERS_COUNTER, author_id=followed),
            _path(routes.TIMELINE, author_id=follower),
        ),
    )


def _mute(event: AuthorMuted | AuthorUnmuted) -> Effects:
    author, muted = event.author_id, event.muted_id
    return Effects(
        rows=(RowRef("mutes", (author, muted)),),
        keys=(
            KeyRef(views.MUTERS, muted, author.encode()),
            KeyRef(views.MUTED, author, muted.encode()),
            KeyRef(views.TIMELINE, author),
        ),
        documents=(DocumentRef(views.MUTES, f"{author} {muted}"),),
        queries=(_path(routes.TIMELINE, author_id=author), _path(routes.NOTIFICATIONS, author_id=author)),
    )


def _block(event: AuthorBlocked | AuthorUnblocked) -> Effects:
    pair = event.author_id, event.blocked_id
    ended = isinstance(event, AuthorBlocked) and event.follow_id is not None
    follow = _follow_of(event.blocked_id, event.author_id) if ended else Effects()
    return Effects(
        rows=(RowRef("blocks", pair), *follow.rows),
        keys=follow.keys,
        documents=(DocumentRef(views.BLOCKS, " ".join(pair)), *follow.documents),
        queries=(*(_path(routes.NOTIFICATIONS, author_id=each) for each in pair), *follow.queries),
    )


def _cheep(event: CheepPosted | CheepAnswered | CheepDeleted) -> Effects:
    """Return the effects of what adds a cheep to lists, or takes it out."""
    entry = views.pack_entry(event.cheep_date, event.cheep_id)
    return Effects(
        rows=(RowRef("cheeps", (event.cheep_id,)),),
        keys=(
            KeyRef(views.CHEEP_RECORD, event.cheep_id),
            KeyRef(views.AUTHOR_CHEEPS, event.author_id, entry),
            KeyRef(views.AUTHOR_COUNTERS, event.author_id),
        ),
        documents=(
            DocumentRef(views.CHEEPS, event.cheep_id),
            DocumentRef(views.AUTHORS, event.author_id),
            *_parent(event),
        ),
        queries=(
            _path(routes.CHEEP, cheep_id=event.cheep_id),
            _path(routes.AUTHOR_CHEEPS, author_id=event.author_id),
            *_answers(event),
        ),
        fan_out=(event.author_id, entry),
    )


def _edit(event: CheepUpdated) -> Effects:
    return Effects(
        rows=(RowRef("cheeps", (event.cheep_id,)),),
        keys=(KeyRef(views.CHEEP_RECORD, event.cheep_id),),
        documents=(DocumentRef(views.CHEEPS, event.cheep_id),),
        queries=(
            _path(routes.CHEEP, cheep_id=event.cheep_id),
            _path(routes.AUTHOR_CHEEPS, author_id=event.author_id),
            *_answers(event),
        ),
    )


def _notification(event: AuthorNotified) -> Effects:
    return Effects(
        rows=(RowRef("notifications", (event.notification_id,)),),
        documents=(DocumentRef(views.NOTIFICATIONS, event.notification_id),),
        queries=(_path(routes.NOTIFICATIONS, author_id=event.author_id),),
    )


def _read(event: NotificationsRead) -> Effects:
    return Effects(
        rows=(RowRef("authors", (event.author_id,)),),
        documents=(DocumentRef(views.AUTHORS, event.author_id),),
        queries=(_path(routes.NOTIFICATIONS, author_id=event.author_id),),
    )


def _parent(event: CheepPosted | CheepAnswered | CheepDeleted) -> tuple[DocumentRef, ...]:
    parent = getattr(event, "in_reply_to", None)
    return () if parent is None else (DocumentRef(views.CHEEPS, parent),)


def _answers(event: CheepPosted | CheepAnswered | CheepDeleted | CheepUpdated) -> tuple[str, ...]:
    parent = getattr(event, "in_reply_to", None)
    return () if parent is None else (_path(routes.ANSWERS, cheep_id=parent),)


def _path(route: routes.Route, **parameters: str) -> str:
    return route.path.format(**parameters)


_TABLE: Final[dict[type[Event], Callable[[Any], Effects]]] = {
    NewAuthorSigned: _signed,
    ProfileUpdated: _profile,
    EmailChanged: _email,
    AuthorFollowed: _follow,
    AuthorUnfollowed: _follow,
    FollowOfBlockedEnded: _follow,
    AuthorMuted: _mute,
    AuthorUnmuted: _mute,
    AuthorBlocked: _block,
    AuthorUnblocked: _block,
    CheepPosted: _cheep,
    CheepAnswered: _cheep,
    CheepDeleted: _cheep,
    CheepUpdated: _edit,
    AuthorNotified: _notification,
    NotificationsRead: _read,
}
