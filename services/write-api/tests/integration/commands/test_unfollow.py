import pytest

from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.commands.unfollow import Unfollow
from cheeper_contracts.events.author_unfollowed import AuthorUnfollowed
from cheeper_contracts.events.command_handled import CommandHandled
from write_api.bus.ids import new_id

pytestmark = pytest.mark.store


@pytest.fixture
def pair(people):
    """Alice, who follows, and Bob."""
    alice, bob = people
    return {"from_author_id": alice.author_id, "to_author_id": bob.author_id}


async def test_the_event_names_the_follow_that_ended(world, pair):
    """By its id, which is whatever the first follow of the pair was sent with, and by when it began."""
    follow_id = new_id()
    follows = [Follow(follow_id=one, **pair) for one in (follow_id, new_id())]
    await world.handle(*follows, Unfollow(**pair))
    *_, followed, _nothing, event = await world.events()
    fields = {"follow_id": follow_id, "followed_at": followed.followed_at, "unfollowed_at": event.unfollowed_at}
    assert event == AuthorUnfollowed(**fields, **pair)
    assert event.followed_at <= event.unfollowed_at
    assert event.key == pair["to_author_id"]


async def test_an_unfollow_without_a_follow_changes_nothing(world, pair, people):
    """Before a follow, after an unfollow, in the other direction, and of oneself."""
    alice, bob = people
    nothing = [
        Unfollow(**pair),
        Unfollow(from_author_id=bob.author_id, to_author_id=alice.author_id),
        Unfollow(from_author_id=bob.author_id, to_author_id=bob.author_id),
    ]
    await world.handle(*nothing, Follow(follow_id=new_id(), **pair), Unfollow(**pair), Unfollow(**pair))
    events = await world.events()
    handled = [CommandHandled(command_type=Unfollow.TYPE, command_key=one.key) for one in (*nothing, Unfollow(**pair))]
    assert [*events[2:5], events[-1]] == handled


async def test_a_follow_after_an_unfollow_follows_again(world, pair, people):
    """With the id that it had, with a new one, and the id is free for another pair."""
    alice, bob = people
    first = Follow(follow_id=new_id(), **pair)
    back = Follow(follow_id=first.follow_id, from_author_id=bob.author_id, to_author_id=alice.author_id)
    again = [first, Unfollow(**pair), first, Unfollow(**pair), Follow(follow_id=new_id(), **pair), back]
    assert [outcome.changed for outcome in await world.handle(*again)] == [True] * 6


async def test_both_authors_have_signed_up(world, people):
    """Whichever has not is named; what is no id is refused first."""
    alice, unknown = people[0].author_id, new_id()
    outcomes = await world.handle(
        Unfollow(from_author_id=alice, to_author_id=unknown),
        Unfollow(from_author_id=unknown, to_author_id=alice),
        Unfollow(from_author_id=unknown, to_author_id=unknown),
        Unfollow(from_author_id="x", to_author_id=unknown),
    )
    assert [outcome.code for outcome in outcomes] == ["author_not_found"] * 3 + ["invalid"]
    assert all(unknown in outcome.message for outcome in outcomes[:3])
