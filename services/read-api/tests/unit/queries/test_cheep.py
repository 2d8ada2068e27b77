import pytest
from read_api_layout import AT, new_id

from read_api.queries.cheep import Cheep
from read_api.query_bus.query import NotFoundError


async def test_a_cheep_without_answers(documents, ask):
    """The shape is that of a cheep, with no answers."""
    cheep_id = documents.post(message="hé\n👋")
    cheep = (await ask(Cheep(cheep_id=cheep_id))).data
    assert (cheep.cheep_id, cheep.cheep_message, cheep.cheep_date) == (cheep_id, "hé\n👋", "2022-03-14T21:08:50+00:00")
    assert (cheep.answers, cheep.number_of_answers, cheep.in_reply_to, cheep.edited_at) == ([], 0, None, None)


async def test_a_cheep_with_its_oldest_answers(documents, ask):
    """Ten answers are shown, oldest first, and all are counted; a deleted one is none."""
    cheep_id = documents.post()
    answers = [documents.post(parent=cheep_id, at=AT + 13 - i) for i in range(13)]
    documents.delete(answers.pop())
    documents.post(parent=new_id())
    cheep = (await ask(Cheep(cheep_id=cheep_id))).data
    assert [answer.cheep_id for answer in cheep.answers] == answers[::-1][:10]
    assert {answer.in_reply_to for answer in cheep.answers} == {cheep_id}
    assert cheep.number_of_answers == 12


async def test_answers_before_their_cheep(documents, ask):
    """Answers that are applied before their cheep make no cheep, and are counted once it is there."""
    early = [documents.post(parent=(parent := new_id())), documents.post(parent=parent, at=AT + 1)]
    with pytest.raises(NotFoundError):
        await ask(Cheep(cheep_id=parent))
    documents.post(cheep_id=parent)
    cheep = (await ask(Cheep(cheep_id=parent))).data
    assert ([answer.cheep_id for answer in cheep.answers], cheep.number_of_answers) == (early, 2)


@pytest.mark.parametrize("posted", [False, True])
async def test_no_cheep(documents, ask, posted):
    """An unknown cheep is reported by its id, and so is a deleted one."""
    cheep_id = documents.post() if posted else new_id()
    documents.delete(cheep_id)
    with pytest.raises(NotFoundError) as caught:
        await ask(Cheep(cheep_id=cheep_id))
    assert (caught.value.code, str(caught.value)) == ("cheep_not_found", f'Cheep "{cheep_id}" does not exist')
