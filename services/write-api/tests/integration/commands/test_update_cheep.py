import pytest

from cheeper_contracts.commands.answer_cheep import AnswerCheep
from cheeper_contracts.commands.delete_cheep import DeleteCheep
from cheeper_contracts.commands.update_cheep import UpdateCheep
from cheeper_contracts.events.cheep_updated import CheepUpdated
from cheeper_contracts.events.command_handled import CommandHandled
from write_api.bus.ids import new_id

pytestmark = pytest.mark.store


def an_edit(cheep, message="Edited", **change):
    return UpdateCheep(**({"cheep_id": cheep.cheep_id, "author_id": cheep.author_id, "message": message} | change))


async def test_the_event_has_the_whole_current_cheep(world, people, cheep):
    """With the date that it keeps, and when it was edited; its text is trimmed."""
    posted = (await world.events())[-1]
    await world.handle(an_edit(cheep, " Edited "))
    event = (await world.events())[-1]
    assert event == CheepUpdated(
        cheep_id=cheep.cheep_id,
        author_id=cheep.author_id,
        author_username=people[1].username,
        message="Edited",
        cheep_date=posted.cheep_date,
        edited_at=event.edited_at,
    )
    assert event.edited_at > posted.cheep_date


async def test_an_edited_answer_still_names_its_parent(world, people, cheep):
    """Also where that is deleted."""
    answer = AnswerCheep(
        cheep_id=new_id(), in_reply_to=cheep.cheep_id, author_id=people[0].author_id, message="Hello Bob"
    )
    await world.handle(answer, DeleteCheep(cheep_id=cheep.cheep_id, author_id=cheep.author_id), an_edit(answer))
    assert (await world.events())[-1].in_reply_to == cheep.cheep_id


async def test_the_same_text_is_no_change(world, cheep):
    """An edit to the present text changes nothing, posted or edited; going back to the first text is a change."""
    outcomes = await world.handle(
        an_edit(cheep, "Hello "), an_edit(cheep), an_edit(cheep), an_edit(cheep, cheep.message)
    )
    assert [outcome.changed for outcome in outcomes] == [False, True, False, True]
    handled = CommandHandled(command_type=UpdateCheep.TYPE, command_key=cheep.author_id)
    assert [event == handled for event in (await world.events())[-4:]] == [True, False, True, False]


async def test_the_post_again_does_not_undo_an_edit(world, cheep):
    """It is a repeat of the first text, and the edited one is no post of that id."""
    edit = an_edit(cheep)
    outcomes = await world.handle(edit, cheep, edit)
    assert [outcome.changed for outcome in outcomes] == [True, False, False]


async def test_what_may_not_be_edited_is_refused(world, people, cheep):
    """Unknown, another author's, deleted; another author's stays so once deleted."""
    alice = {"author_id": people[0].author_id}
    delete = DeleteCheep(cheep_id=cheep.cheep_id, author_id=cheep.author_id)
    codes = await world.codes(
        an_edit(cheep, cheep_id=new_id()),
        an_edit(cheep, **alice),
        an_edit(cheep, author_id=new_id()),
        an_edit(cheep, " "),
        delete,
        an_edit(cheep, **alice),
        an_edit(cheep),
        an_edit(cheep, cheep.message),
    )
    not_there, not_hers = "cheep_not_found", "not_the_author"
    assert codes == [not_there, not_hers, not_hers, "invalid", None, not_hers, not_there, not_there]
