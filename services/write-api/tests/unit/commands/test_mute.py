"""Mute and Unmute over a write model in memory."""

import pytest

from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.commands.mute import Mute
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.commands.unmute import Unmute
from cheeper_contracts.events.author_muted import AuthorMuted
from cheeper_contracts.events.author_unmuted import AuthorUnmuted
from write_api.commands.follow import follow
from write_api.commands.mute import mute
from write_api.commands.sign_up import sign_up
from write_api.commands.unmute import unmute
from write_api.domain.errors import AuthorNotFound, CannotMuteSelf
from write_api.testing import MemoryUnitOfWork, Tables

BOB, ALICE = "a64a52cc-3ee9-4a15-918b-099e18b43119", "1fd7d739-2ad7-41a8-8c18-565603e3733f"
NOBODY, FOLLOW = "00000000-0000-4000-8000-000000000000", "8cc71bf2-f827-4c92-95a5-43bb1bc622ad"
ALICE_MUTES_BOB = Mute(author_id=ALICE, muted_id=BOB)
ALICE_UNMUTES_BOB = Unmute(author_id=ALICE, muted_id=BOB)


@pytest.fixture
async def work():
    """Alice and Bob have signed up."""
    unit = MemoryUnitOfWork(Tables(), now=3)
    for name, author_id in (("bob", BOB), ("alice", ALICE)):
        await sign_up(SignUp(author_id=author_id, username=name, email=f"{name}@example.com"), unit, 1)
    return unit


async def test_a_mute_begins_once(work):
    """The first one says so in the stream of the muted author; another one finds it true already."""
    event = await mute(ALICE_MUTES_BOB, work, 3)
    assert event == AuthorMuted(author_id=ALICE, muted_id=BOB, muted_at=3)
    assert event.key == BOB
    assert await mute(ALICE_MUTES_BOB, work, 4) is None


async def test_a_mute_ends_once_and_may_begin_again(work):
    """An end without a mute changes nothing."""
    assert await unmute(ALICE_UNMUTES_BOB, work, 2) is None
    await mute(ALICE_MUTES_BOB, work, 3)
    event = await unmute(ALICE_UNMUTES_BOB, work, 4)
    assert event == AuthorUnmuted(author_id=ALICE, muted_id=BOB, unmuted_at=4)
    assert event.key == BOB
    assert await unmute(ALICE_UNMUTES_BOB, work, 5) is None
    assert await mute(ALICE_MUTES_BOB, work, 6) is not None


async def test_a_mute_is_of_one_direction_and_ends_no_follow(work):
    """The muted author does not mute in return, and the follow stays."""
    await follow(Follow(follow_id=FOLLOW, from_author_id=ALICE, to_author_id=BOB), work, 2)
    await mute(ALICE_MUTES_BOB, work, 3)
    assert await work.mutes.of_id(BOB, ALICE) is None
    assert await work.follows.of_id(ALICE, BOB) is not None


@pytest.mark.parametrize("pair", [(BOB, NOBODY), (NOBODY, ALICE)], ids=["muted", "muter"])
async def test_both_must_have_signed_up(work, pair):
    """An author who is unknown can neither mute nor be muted."""
    with pytest.raises(AuthorNotFound):
        await mute(Mute(author_id=pair[0], muted_id=pair[1]), work, 3)
    with pytest.raises(AuthorNotFound):
        await unmute(Unmute(author_id=pair[0], muted_id=pair[1]), work, 3)


async def test_nobody_mutes_itself(work):
    """A mute of oneself is refused, with a sign-up and without one."""
    for author_id in (BOB, NOBODY):
        with pytest.raises(CannotMuteSelf):
            await mute(Mute(author_id=author_id, muted_id=author_id), work, 3)
