"""Both stores: who blocks whom. A block ends follows, each in the followed author's stream, as an unfollow does."""

from __future__ import annotations

from cheeper_contracts import views
from cheeper_contracts.events.author_blocked import AuthorBlocked
from cheeper_contracts.events.author_unblocked import AuthorUnblocked
from cheeper_contracts.events.author_unfollowed import AuthorUnfollowed
from cheeper_contracts.events.follow_of_blocked_ended import FollowOfBlockedEnded
from projector.projections import author_documents, follow_documents, follower_sets, timelines
from projector.projections.meta import Meta
from projector.projections.writes import Delete, MongoWrite, RedisWrite, SetFields


def blocked_in_redis(event: AuthorBlocked, meta: Meta) -> tuple[RedisWrite, ...]:
    """End the blocked author's follow, if there was one."""
    unfollowed = _unfollow_of_blocked(event)
    return () if unfollowed is None else _unfollowed_in_redis(unfollowed, meta)


def follow_ended_in_redis(event: FollowOfBlockedEnded, meta: Meta) -> tuple[RedisWrite, ...]:
    """End the follow of the blocked author."""
    return _unfollowed_in_redis(_as_unfollow(event), meta)


def blocked_in_mongo(event: AuthorBlocked, meta: Meta) -> tuple[MongoWrite, ...]:
    """Write the block, which hides notifications, and end the blocked author's follow, if there was one."""
    fields = {"author_id": event.author_id, "blocked_id": event.blocked_id, "blocked_at": event.blocked_at}
    written = SetFields(views.BLOCKS.name, _pair(event), fields)
    unfollowed = _unfollow_of_blocked(event)
    return (written,) if unfollowed is None else (written, *_unfollowed_in_mongo(unfollowed, meta))


def unblocked_in_mongo(event: AuthorUnblocked, _meta: Meta) -> tuple[Delete]:
    """Delete the block."""
    return (Delete(views.BLOCKS.name, _pair(event)),)


def follow_ended_in_mongo(event: FollowOfBlockedEnded, meta: Meta) -> tuple[MongoWrite, ...]:
    """End the follow of the blocked author."""
    return _unfollowed_in_mongo(_as_unfollow(event), meta)


def _unfollowed_in_redis(event: AuthorUnfollowed, meta: Meta) -> tuple[RedisWrite, ...]:
    return (*follower_sets.author_unfollowed(event, meta), *timelines.author_unfollowed(event, meta))


def _unfollowed_in_mongo(event: AuthorUnfollowed, meta: Meta) -> tuple[MongoWrite, ...]:
    return (*follow_documents.author_unfollowed(event, meta), *author_documents.author_unfollowed(event, meta))


def _unfollow_of_blocked(event: AuthorBlocked) -> AuthorUnfollowed | None:
    if event.follow_id is None:
        return None
    return _unfollow(event.follow_id, event.blocked_id, event.author_id, event.blocked_at)


def _as_unfollow(event: FollowOfBlockedEnded) -> AuthorUnfollowed:
    return _unfollow(event.follow_id, event.from_author_id, event.to_author_id, event.ended_at)


def _unfollow(follow_id: str, follower: str, followed: str, at: int) -> AuthorUnfollowed:
    return AuthorUnfollowed(
        follow_id=follow_id, from_author_id=follower, to_author_id=followed, followed_at=None, unfollowed_at=at
    )


def _pair(event: AuthorBlocked | AuthorUnblocked) -> str:
    return f"{event.author_id} {event.blocked_id}"
