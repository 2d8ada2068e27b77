"""The projections: pure functions from (event, meta) to writes, a file each.

The two tables define which events the views of each store are made of. An event that a table does not know is an
error. A type that the contracts do not know is skipped before it is projected (messages/decoding.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar

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
from cheeper_contracts.events.command_handled import CommandHandled
from cheeper_contracts.events.command_rejected import CommandRejected
from cheeper_contracts.events.email_changed import EmailChanged
from cheeper_contracts.events.follow_of_blocked_ended import FollowOfBlockedEnded
from cheeper_contracts.events.new_author_signed import NewAuthorSigned
from cheeper_contracts.events.notifications_read import NotificationsRead
from cheeper_contracts.events.profile_updated import ProfileUpdated
from cheeper_contracts.messages import Event
from projector.projections import (
    author_cheeps,
    author_documents,
    author_names,
    blocks,
    cheep_documents,
    cheep_records,
    command_records,
    follow_documents,
    follower_sets,
    mutes,
    notification_documents,
    streams,
    timelines,
)
from projector.projections.meta import Meta
from projector.projections.writes import MongoWrite, RedisWrite

W = TypeVar("W")

Table = Mapping[type[Event], Sequence[Callable[[Any, Meta], Sequence[W]]]]

REDIS: Final[Table[RedisWrite]] = {
    NewAuthorSigned: (author_names.new_author_signed, command_records.in_redis),
    AuthorFollowed: (follower_sets.author_followed, timelines.author_followed, command_records.in_redis),
    CheepPosted: (
        cheep_records.cheep_posted,
        author_cheeps.cheep_posted,
        timelines.cheep_posted,
        command_records.in_redis,
    ),
    ProfileUpdated: (command_records.in_redis,),
    EmailChanged: (command_records.in_redis,),
    AuthorUnfollowed: (follower_sets.author_unfollowed, timelines.author_unfollowed, command_records.in_redis),
    AuthorMuted: (mutes.muted_in_redis, streams.notifications_changed, command_records.in_redis),
    AuthorUnmuted: (mutes.unmuted_in_redis, streams.notifications_changed, command_records.in_redis),
    AuthorBlocked: (blocks.blocked_in_redis, streams.notifications_of_both_changed, command_records.in_redis),
    AuthorUnblocked: (streams.notifications_of_both_changed, command_records.in_redis),
    FollowOfBlockedEnded: (blocks.follow_ended_in_redis, command_records.in_redis),
    CheepUpdated: (cheep_records.cheep_updated, streams.cheep_changed, command_records.in_redis),
    CheepDeleted: (
        cheep_records.cheep_deleted,
        author_cheeps.cheep_deleted,
        timelines.cheep_deleted,
        streams.cheep_changed,
        command_records.in_redis,
    ),
    CheepAnswered: (
        cheep_records.cheep_answered,
        author_cheeps.cheep_posted,
        timelines.cheep_posted,
        command_records.in_redis,
    ),
    AuthorNotified: (streams.notifications_changed, command_records.in_redis),
    NotificationsRead: (streams.notifications_changed, command_records.in_redis),
    CommandHandled: (command_records.in_redis,),
    CommandRejected: (command_records.in_redis,),
}

MONGO: Final[Table[MongoWrite]] = {
    NewAuthorSigned: (author_documents.new_author_signed, command_records.in_mongo),
    ProfileUpdated: (author_documents.profile_updated, command_records.in_mongo),
    EmailChanged: (command_records.in_mongo,),
    AuthorFollowed: (follow_documents.author_followed, author_documents.author_followed, command_records.in_mongo),
    AuthorUnfollowed: (
        follow_documents.author_unfollowed,
        author_documents.author_unfollowed,
        command_records.in_mongo,
    ),
    AuthorMuted: (mutes.muted_in_mongo, command_records.in_mongo),
    AuthorUnmuted: (mutes.unmuted_in_mongo, command_records.in_mongo),
    AuthorBlocked: (blocks.blocked_in_mongo, command_records.in_mongo),
    AuthorUnblocked: (blocks.unblocked_in_mongo, command_records.in_mongo),
    FollowOfBlockedEnded: (blocks.follow_ended_in_mongo, command_records.in_mongo),
    CheepPosted: (cheep_documents.cheep_posted, author_documents.cheep_posted, command_records.in_mongo),
    CheepAnswered: (cheep_documents.cheep_answered, author_documents.cheep_posted, command_records.in_mongo),
    CheepUpdated: (cheep_documents.cheep_updated, command_records.in_mongo),
    CheepDeleted: (cheep_documents.cheep_deleted, author_documents.cheep_deleted, command_records.in_mongo),
    AuthorNotified: (notification_documents.author_notified, command_records.in_mongo),
    NotificationsRead: (notification_documents.notifications_read, command_records.in_mongo),
    CommandHandled: (command_records.in_mongo,),
    CommandRejected: (command_records.in_mongo,),
}

TABLES: Final[Mapping[str, Table[Any]]] = {"redis": REDIS, "mongo": MONGO}


Project = Callable[[Event, Meta], tuple[Any, ...]]
"""From an event and its meta to all that one store writes for it."""


def projection_of(store: str) -> Project:
    """Return the projection of the named store."""
    return partial(project, TABLES[store])


def project(table: Table[W], event: Event, meta: Meta) -> tuple[W, ...]:
    """Return all that a store writes for an event, in order."""
    return tuple(write for projection in table[type(event)] for write in projection(event, meta))
