import pytest

from cheeper_contracts import views
from cheeper_contracts.events.author_blocked import AuthorBlocked
from cheeper_contracts.events.author_unblocked import AuthorUnblocked
from cheeper_contracts.events.author_unfollowed import AuthorUnfollowed
from cheeper_contracts.events.follow_of_blocked_ended import FollowOfBlockedEnded
from projector import projections
from projector.projections.writes import Delete, ReportNotifications, SetFields

BLOCKED = AuthorBlocked(author_id="alice", blocked_id="bob", blocked_at=1, follow_id=None)
FIELDS = {"author_id": "alice", "blocked_id": "bob", "blocked_at": 1}


def unfollowed(follower, followed):
    return AuthorUnfollowed(
        follow_id="f", from_author_id=follower, to_author_id=followed, followed_at=None, unfollowed_at=1
    )


@pytest.mark.parametrize("table", [projections.REDIS, projections.MONGO], ids=["redis", "mongo"])
def test_a_follow_that_a_block_ends_leaves_the_views_like_an_unfollow(table, meta):
    """The blocked author's follow within the event of the block, the other one by an event of its own."""
    ended = FollowOfBlockedEnded(follow_id="f", from_author_id="alice", to_author_id="bob", ended_at=1)
    assert set(writes(table, unfollowed("alice", "bob"), meta)) == set(writes(table, ended, meta))
    blocked = AuthorBlocked(author_id="alice", blocked_id="bob", blocked_at=1, follow_id="f")
    of_block = writes(table, BLOCKED, meta)
    assert set(writes(table, unfollowed("bob", "alice"), meta)) == set(writes(table, blocked, meta)) - set(of_block)


def writes(table, event, meta):
    """Return the writes without those about the command, as texts that can be compared."""
    command = [str(one) for projection in table[AuthorUnblocked][-1:] for one in projection(event, meta)]
    found = [str(one) for one in projections.project(table, event, meta)]
    return [one for one in found if one not in command]


def test_a_block_is_a_document_while_it_lasts(meta):
    """It hides the notifications that either causes, and both lists have changed; Redis keeps nothing of it."""
    end = AuthorUnblocked(author_id="alice", blocked_id="bob", unblocked_at=2)
    assert SetFields(views.BLOCKS.name, "alice bob", FIELDS) in projections.project(projections.MONGO, BLOCKED, meta)
    assert Delete(views.BLOCKS.name, "alice bob") in projections.project(projections.MONGO, end, meta)
    reports = [str(ReportNotifications(author)) for author in ("alice", "bob")]
    assert writes(projections.REDIS, BLOCKED, meta) == writes(projections.REDIS, end, meta) == reports
