import itertools

import pytest

from cheeper_contracts.commands.answer_cheep import AnswerCheep
from cheeper_contracts.commands.delete_cheep import DeleteCheep
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.events.cheep_deleted import CheepDeleted
from cheeper_contracts.events.command_handled import CommandHandled
from write_api.bus.ids import new_id

pytestmark = pytest.mark.store


def a_deletion(cheep, **change):
    return DeleteCheep(**({"cheep_id": cheep.cheep_id, "author_id": cheep.author_id} | change))


async def test_the_event_of_a_deletion_has_the_date_of_the_cheep(world, people, cheep):
    """And with what it answered, where it was an answer."""
    answer = AnswerCheep(
        cheep_id=new_id(), in_reply_to=cheep.cheep_id, author_id=people[0].author_id, message="Hello Bob"
    )
    await world.handle(answer, a_deletion(cheep), a_deletion(answer))
    posted, answered, first, second = (await world.events())[-4:]
    assert first == CheepDeleted(
        cheep_id=cheep.cheep_id,
        author_id=cheep.author_id,
        cheep_date=posted.cheep_date,
        deleted_at=first.deleted_at,
    )
    assert second == CheepDeleted(
        cheep_id=answer.cheep_id,
        author_id=answer.author_id,
        cheep_date=answered.cheep_date,
        deleted_at=second.deleted_at,
        in_reply_to=cheep.cheep_id,
    )
    assert posted.cheep_date < first.deleted_at < second.deleted_at


async def test_a_deletion_is_for_good(world, cheep):
    """A second one has nothing to do, and the post again brings nothing back."""
    outcomes = await world.handle(a_deletion(cheep), a_deletion(cheep), cheep, a_deletion(cheep))
    assert [outcome.changed for outcome in outcomes] == [True, False, False, False]
    handled = CommandHandled(command_type=DeleteCheep.TYPE, command_key=cheep.author_id)
    assert (await world.events())[-3] == handled


async def test_the_date_of_a_deleted_cheep_is_not_given_again(world, cheep):
    """Dates rise over deleted cheeps too."""
    post = PostCheep(cheep_id=new_id(), author_id=cheep.author_id, message="Next")
    world.clock = itertools.repeat(next(world.clock) - 60 * 1_000_000)
    await world.handle(a_deletion(cheep), post)
    first, deleted, second = (await world.events())[-3:]
    assert (second.cheep_date, deleted.deleted_at) == (first.cheep_date + 1, first.cheep_date)


async def test_what_may_not_be_deleted_is_refused(world, people, cheep):
    """Unknown and another author's, deleted or not."""
    alice = {"author_id": people[0].author_id}
    codes = await world.codes(
        a_deletion(cheep, cheep_id=new_id()),
        a_deletion(cheep, **alice),
        a_deletion(cheep, author_id="x"),
        a_deletion(cheep),
        a_deletion(cheep, **alice),
    )
    assert codes == ["cheep_not_found", "not_the_author", "invalid", None, "not_the_author"]
