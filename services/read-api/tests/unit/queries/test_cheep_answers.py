import pytest
from read_api_layout import AT, new_id

from read_api.queries.cheep_answers import CheepAnswers
from read_api.query_bus.query import NotFoundError


@pytest.mark.parametrize("deleted", [False, True])
async def test_the_oldest_comes_first(documents, ask, deleted):
    """The answers to a cheep, also to one that was deleted, by cursor, without deleted answers."""
    cheep = documents.post()
    answers = [documents.post(parent=cheep, at=AT + number) for number in range(5)]
    documents.post(parent=answers[0])
    documents.delete(answers.pop(2))
    if deleted:
        documents.delete(cheep)
    first = await ask(CheepAnswers(cheep_id=cheep, size=3))
    last = await ask(CheepAnswers(cheep_id=cheep, size=3, cursor=first.next_cursor))
    assert [answer.cheep_id for answer in first.data.cheeps + last.data.cheeps] == answers
    assert (len(first.data.cheeps), last.next_cursor) == (3, None)


async def test_ties_are_by_id(documents, ask):
    """Answers of the same time come once each, in the order of their ids, over pages of one."""
    cheep = documents.post()
    answers = sorted(documents.post(parent=cheep) for _ in range(4))
    seen, cursor = [], None
    for _ in answers:
        found = await ask(CheepAnswers(cheep_id=cheep, size=1, cursor=cursor))
        seen += [answer.cheep_id for answer in found.data.cheeps]
        cursor = found.next_cursor
    assert (seen, cursor) == (answers, None)


@pytest.mark.parametrize("answers", [0, 1, 3])
async def test_each_page_has_the_number_of_all_answers(documents, ask, answers):
    """The total is the cheep's count, and without a count that of the only page."""
    cheep = documents.post()
    for number in range(answers):
        documents.post(parent=cheep, at=AT + number)
    first = await ask(CheepAnswers(cheep_id=cheep, size=2))
    assert first.total == answers
    if first.next_cursor:
        assert (await ask(CheepAnswers(cheep_id=cheep, size=2, cursor=first.next_cursor))).total == answers


async def test_no_cheep(documents, ask):
    """An answer whose parent is not in yet makes no parent."""
    documents.post(parent=(parent := new_id()))
    with pytest.raises(NotFoundError) as caught:
        await ask(CheepAnswers(cheep_id=parent))
    assert (caught.value.code, str(caught.value)) == ("cheep_not_found", f'Cheep "{parent}" does not exist')
