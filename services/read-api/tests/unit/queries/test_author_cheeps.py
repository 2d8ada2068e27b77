import pytest
from read_api_layout import AT, new_id

from read_api.queries.author_cheeps import AuthorCheeps
from read_api.query_bus.query import NotFoundError


async def test_the_newest_comes_first_answers_too(documents, ask):
    """An author's cheeps and answers are shown, ties by id, and no one else's, nor deleted ones."""
    author = documents.sign_up()
    first, *tied = documents.post(author, at=AT), documents.post(author, at=AT + 1), documents.post(author, at=AT + 1)
    answer = documents.post(author, "é", parent=documents.post(), at=AT + 2)
    documents.delete(documents.post(author))
    shown = (await ask(AuthorCheeps(author_id=author))).data.cheeps
    assert [cheep.cheep_id for cheep in shown] == [answer, *sorted(tied, reverse=True), first]
    assert (shown[0].cheep_message, shown[0].author_id, shown[1].in_reply_to) == ("é", author, None)
    assert shown[0].in_reply_to not in {None, answer}


async def test_pages_end_where_the_list_does(documents, ask):
    """A page has a cursor only where there is another; an author who never posted has an empty page."""
    author = documents.sign_up()
    assert (await ask(AuthorCheeps(author_id=author))).data.cheeps == []
    cheeps = [documents.post(author, at=AT - number) for number in range(4)]
    first = await ask(AuthorCheeps(author_id=author, size=2))
    last = await ask(AuthorCheeps(author_id=author, size=2, cursor=first.next_cursor))
    assert [cheep.cheep_id for cheep in first.data.cheeps + last.data.cheeps] == cheeps
    assert last.next_cursor is None


async def test_each_page_has_the_number_of_all_cheeps(documents, ask):
    """The total is the author's count, whatever the page; of an author who never posted it is 0."""
    author = documents.sign_up(cheeps=3)
    for number in range(3):
        documents.post(author, at=AT + number)
    first = await ask(AuthorCheeps(author_id=author, size=2))
    last = await ask(AuthorCheeps(author_id=author, size=2, cursor=first.next_cursor))
    assert (first.total, last.total) == (3, 3)
    assert (await ask(AuthorCheeps(author_id=documents.sign_up()))).total == 0


async def test_an_unknown_author(ask):
    """An unknown author has no list."""
    with pytest.raises(NotFoundError) as caught:
        await ask(AuthorCheeps(author_id=new_id()))
    assert caught.value.code == "author_not_found"
