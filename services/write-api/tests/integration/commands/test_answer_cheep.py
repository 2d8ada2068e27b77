import itertools

import msgspec
import pytest

from cheeper_contracts.commands.answer_cheep import AnswerCheep
from cheeper_contracts.commands.delete_cheep import DeleteCheep
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.events.cheep_answered import CheepAnswered
from cheeper_contracts.events.command_handled import CommandHandled
from write_api.bus.ids import new_id

pytestmark = pytest.mark.store


@pytest.fixture
def answer(people, cheep):
    """Alice's answer to Bob's cheep, not sent yet."""
    alice, _ = people
    return AnswerCheep(cheep_id=new_id(), in_reply_to=cheep.cheep_id, author_id=alice.author_id, message=" Hello Bob ")


def a_deletion(cheep):
    return DeleteCheep(cheep_id=cheep.cheep_id, author_id=cheep.author_id)


async def test_the_event_of_an_answer_names_the_parents_author(world, people, answer):
    """It is a cheep of its own author, dated as any other."""
    alice, bob = people
    await world.handle(answer)
    event = (await world.events())[-1]
    assert event == CheepAnswered(
        cheep_id=answer.cheep_id,
        author_id=alice.author_id,
        author_username=alice.username,
        message="Hello Bob",
        cheep_date=event.cheep_date,
        in_reply_to=answer.in_reply_to,
        parent_author_id=bob.author_id,
    )
    assert event.key == alice.author_id


async def test_the_dates_of_answers_and_posts_rise_together(world, answer):
    """An author has one sequence of cheeps."""
    world.clock = itertools.repeat(next(world.clock) - 60 * 1_000_000)
    post = PostCheep(cheep_id=new_id(), author_id=answer.author_id, message="Hi")
    await world.handle(post, answer, msgspec.structs.replace(post, cheep_id=new_id()))
    dates = [event.cheep_date for event in (await world.events())[-3:]]
    assert dates == [dates[0], dates[0] + 1, dates[0] + 2]


async def test_a_repeated_answer_changes_nothing(world, cheep, answer):
    """Whatever became of it and of its parent since."""
    again = [answer, a_deletion(cheep), answer, a_deletion(answer), answer]
    outcomes = await world.handle(answer, *again)
    assert [outcome.changed for outcome in outcomes] == [True, False, True, False, True, False]
    assert (await world.events())[-1] == CommandHandled(command_type=AnswerCheep.TYPE, command_key=answer.author_id)


async def test_an_id_is_of_one_cheep_post_or_answer(world, people, cheep, answer):
    """Other text, another parent or author, none at all, or an answer where there was a post."""
    change = msgspec.structs.replace
    other = PostCheep(cheep_id=new_id(), author_id=cheep.author_id, message="Other")
    post = PostCheep(cheep_id=answer.cheep_id, author_id=answer.author_id, message=answer.message)
    await world.handle(answer, other)
    codes = await world.codes(
        change(answer, message="Bye"),
        change(answer, in_reply_to=other.cheep_id),
        change(answer, author_id=people[1].author_id),
        post,
        AnswerCheep(
            cheep_id=cheep.cheep_id, in_reply_to=other.cheep_id, author_id=cheep.author_id, message=cheep.message
        ),
    )
    assert codes == ["cheep_id_taken"] * 5


async def test_what_cannot_be_answered_is_refused(world, cheep, answer):
    """An unknown or deleted parent, itself, by an unknown author, without a text."""
    change = msgspec.structs.replace
    codes = await world.codes(
        change(answer, in_reply_to=new_id()),
        change(answer, in_reply_to=answer.cheep_id),
        change(answer, author_id=new_id()),
        change(answer, message="\t"),
        a_deletion(cheep),
        answer,
    )
    assert codes == ["cheep_not_found", "cheep_not_found", "author_not_found", "invalid", None, "cheep_not_found"]
