"""Block, Unblock and what follows from a block, over a write model in memory."""

import msgspec
import pytest

from cheeper_contracts.commands.answer_cheep import AnswerCheep
from cheeper_contracts.commands.block import Block
from cheeper_contracts.commands.end_follow_of_blocked import EndFollowOfBlocked
from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.commands.unblock import Unblock
from cheeper_contracts.events.author_blocked import AuthorBlocked
from cheeper_contracts.events.author_unblocked import AuthorUnblocked
from cheeper_contracts.events.follow_of_blocked_ended import FollowOfBlockedEnded
from write_api.commands.answer_cheep import answer_cheep
from write_api.commands.block import block
from write_api.commands.end_follow_of_blocked import end_follow_of_blocked
from write_api.commands.follow import follow
from write_api.commands.post_cheep import post_cheep
from write_api.commands.sign_up import sign_up
from write_api.commands.unblock import unblock
from write_api.domain.errors import AuthorNotFound, Blocked, CannotBlockSelf
from write_api.testing import MemoryUnitOfWork, Tables

BOB, ALICE, CAROL = (f"00000000-0000-4000-8000-00000000000{n}" for n in "abc")
NOBODY = "00000000-0000-4000-8000-000000000000"
ONE_ID, OTHER_ID = "8cc71bf2-f827-4c92-95a5-43bb1bc622ad", "1fd7d739-2ad7-41a8-8c18-565603e3733f"
ALICE_FOLLOWS_BOB = Follow(follow_id=ONE_ID, from_author_id=ALICE, to_author_id=BOB)
BOB_FOLLOWS_ALICE = Follow(follow_id=OTHER_ID, from_author_id=BOB, to_author_id=ALICE)
ALICE_BLOCKS_BOB = Block(author_id=ALICE, blocked_id=BOB)
ALICE_UNBLOCKS_BOB = Unblock(author_id=ALICE, blocked_id=BOB)
END_FOLLOW = EndFollowOfBlocked(from_author_id=ALICE, to_author_id=BOB, blocked_at=5)


@pytest.fixture
async def work():
    """Alice, Bob and Carol have signed up."""
    unit = MemoryUnitOfWork(Tables(), now=3)
    for name, author_id in (("bob", BOB), ("alice", ALICE), ("carol", CAROL)):
        await sign_up(SignUp(author_id=author_id, username=name, email=f"{name}@example.com"), unit, 1)
    return unit


async def test_a_block_ends_the_follow_of_its_own_key(work):
    """The event has the id of the follow that ended; the other direction is left to the process manager."""
    await follow(ALICE_FOLLOWS_BOB, work, 2)
    await follow(BOB_FOLLOWS_ALICE, work, 2)
    event = await block(ALICE_BLOCKS_BOB, work, 5)
    assert event == AuthorBlocked(author_id=ALICE, blocked_id=BOB, blocked_at=5, follow_id=OTHER_ID)
    assert event.key == ALICE
    assert await work.follows.of_id(BOB, ALICE) is None
    assert await work.follows.of_id(ALICE, BOB) is not None
    ended = await end_follow_of_blocked(END_FOLLOW, work, 6)
    assert ended == FollowOfBlockedEnded(follow_id=ONE_ID, from_author_id=ALICE, to_author_id=BOB, ended_at=6)
    assert ended.key == BOB
    assert await work.follows.of_id(ALICE, BOB) is None
    assert await end_follow_of_blocked(END_FOLLOW, work, 7) is None


async def test_a_block_begins_and_ends_once(work):
    """Another one finds it true already, an end without a block changes nothing, and no follow comes back."""
    assert await unblock(ALICE_UNBLOCKS_BOB, work, 2) is None
    await follow(BOB_FOLLOWS_ALICE, work, 2)
    assert await block(ALICE_BLOCKS_BOB, work, 3) is not None
    assert await block(ALICE_BLOCKS_BOB, work, 4) is None
    event = await unblock(ALICE_UNBLOCKS_BOB, work, 5)
    assert event == AuthorUnblocked(author_id=ALICE, blocked_id=BOB, unblocked_at=5)
    assert event.key == ALICE
    assert await unblock(ALICE_UNBLOCKS_BOB, work, 6) is None
    assert await work.follows.of_id(BOB, ALICE) is None
    again = await block(ALICE_BLOCKS_BOB, work, 7)
    assert again == AuthorBlocked(author_id=ALICE, blocked_id=BOB, blocked_at=7, follow_id=None)


@pytest.mark.parametrize("refused", [ALICE_FOLLOWS_BOB, BOB_FOLLOWS_ALICE], ids=["blocker", "blocked"])
async def test_no_follow_begins_between_the_two_while_the_block_lasts(work, refused):
    """A follow in either direction is refused, one of others is not, and after the end it begins."""
    await block(ALICE_BLOCKS_BOB, work, 3)
    with pytest.raises(Blocked):
        await follow(refused, work, 4)
    assert await follow(msgspec.structs.replace(refused, to_author_id=CAROL), work, 4) is not None
    await unblock(ALICE_UNBLOCKS_BOB, work, 5)
    assert await follow(msgspec.structs.replace(refused, follow_id=NOBODY), work, 6) is not None


@pytest.mark.parametrize(("author", "parent"), [(ALICE, BOB), (BOB, ALICE)], ids=["blocker", "blocked"])
async def test_neither_answers_the_other_while_the_block_lasts(work, author, parent):
    """An answer is refused in both directions; an earlier one stays, and its repeat stays a repeat."""
    for number, answers in enumerate((ONE_ID, OTHER_ID)):
        await post_cheep(PostCheep(cheep_id=answers, author_id=parent, message=f"{number}"), work, 2)
    early, late = (
        AnswerCheep(cheep_id=cheep, author_id=author, in_reply_to=to, message="Why?")
        for cheep, to in ((CAROL, ONE_ID), (NOBODY, OTHER_ID))
    )
    assert await answer_cheep(early, work, 3) is not None
    await block(ALICE_BLOCKS_BOB, work, 4)
    assert await answer_cheep(early, work, 5) is None
    with pytest.raises(Blocked):
        await answer_cheep(late, work, 5)
    await unblock(ALICE_UNBLOCKS_BOB, work, 6)
    assert await answer_cheep(late, work, 7) is not None


@pytest.mark.parametrize("followed_at", [4, 6], ids=["before", "at the same time"])
async def test_a_follow_that_did_not_see_the_block_is_ended(work, followed_at):
    """The follow of a transaction beside that of the block is there after it, with either date."""
    await follow(ALICE_FOLLOWS_BOB, work, followed_at)
    await block(ALICE_BLOCKS_BOB, work, 5)
    assert await end_follow_of_blocked(END_FOLLOW, work, 7) is not None


async def test_a_follow_after_the_end_of_the_block_stays(work):
    """The process manager's command may come late, when both have made up."""
    await block(ALICE_BLOCKS_BOB, work, 5)
    await unblock(ALICE_UNBLOCKS_BOB, work, 6)
    await follow(ALICE_FOLLOWS_BOB, work, 7)
    assert await end_follow_of_blocked(END_FOLLOW, work, 8) is None
    assert await work.follows.of_id(ALICE, BOB) is not None


@pytest.mark.parametrize("pair", [(BOB, NOBODY), (NOBODY, ALICE)], ids=["blocked", "blocker"])
async def test_both_must_have_signed_up(work, pair):
    """An author who is unknown can neither block nor be blocked."""
    with pytest.raises(AuthorNotFound):
        await block(Block(author_id=pair[0], blocked_id=pair[1]), work, 3)
    with pytest.raises(AuthorNotFound):
        await unblock(Unblock(author_id=pair[0], blocked_id=pair[1]), work, 3)


async def test_nobody_blocks_itself(work):
    """A block of oneself is refused, with a sign-up and without one."""
    for author_id in (BOB, NOBODY):
        with pytest.raises(CannotBlockSelf):
            await block(Block(author_id=author_id, blocked_id=author_id), work, 3)
