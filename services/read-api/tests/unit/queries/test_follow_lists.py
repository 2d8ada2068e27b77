"""Followers and following: the same list from either side."""

import pytest
from read_api_layout import AT, new_id

from cheeper_contracts import views
from read_api.queries.followers import Followers
from read_api.queries.following import Following
from read_api.query_bus.query import NotFoundError

SIDES = pytest.mark.parametrize(("query", "swapped"), [(Followers, False), (Following, True)])


def lay(documents, author, other, swapped, **options):
    """A follow of an author by another, or the other way round."""
    documents.follow(*((author, other) if swapped else (other, author)), **options)


async def walk(ask, query, author, size):
    """The pages of a list by cursor."""
    pages, cursor = [], None
    while True:
        found = await ask(query(author_id=author, size=size, cursor=cursor))
        pages.append([shown.author_id for shown in found.data.authors])
        if (cursor := found.next_cursor) is None:
            return pages


@SIDES
async def test_the_newest_follow_comes_first(documents, ask, query, swapped):
    """An author is shown with the username, the name that is now the name, and since when; ties are by id."""
    author, others = documents.sign_up(), sorted(documents.sign_up(username=f"u{i}", name="old") for i in range(3))
    for other, at in zip(others, (AT, AT, AT + 1_000_000), strict=True):
        lay(documents, author, other, swapped, at=at)
        lay(documents, other, author, swapped, at=at)
    documents.of(views.AUTHORS).update_many({}, {"$set": {"name": "Né"}})
    shown = (await ask(query(author_id=author))).data.authors
    assert [each.author_id for each in shown] == [others[2], others[1], others[0]]
    assert {each.name for each in shown} == {"Né"}
    assert all(each.username.startswith("u") for each in shown)
    assert [each.followed_at for each in shown] == ["2022-03-14T21:08:51+00:00"] + ["2022-03-14T21:08:50+00:00"] * 2


@SIDES
async def test_no_followers_and_no_author(documents, ask, query, swapped):
    """An author without followers has an empty list; an unknown one, and one whose sign-up is not in, has none."""
    found = await ask(query(author_id=documents.sign_up()))
    assert (found.data.authors, found.next_cursor) == ([], None)
    lay(documents, half := new_id(), documents.sign_up(), swapped)
    for unknown in (new_id(), half):
        with pytest.raises(NotFoundError) as caught:
            await ask(query(author_id=unknown))
        assert caught.value.code == "author_not_found"


@SIDES
@pytest.mark.parametrize("size", [1, 2, 5, 100])
async def test_who_has_not_signed_up_leaves_no_hole(documents, ask, query, swapped, size):
    """A follow of an author whose sign-up is not in is left out, in runs longer than a page and at either end, and no
    page but the last is short; the author is there once the sign-up is.
    """
    author, others = documents.sign_up(), [new_id() for _ in range(40)]
    present = {other for place, other in enumerate(others) if 5 <= place < 12 or 25 <= place < 37}
    for place, other in enumerate(others):
        lay(documents, author, other, swapped, at=AT - place // 2)
        if other in present:
            documents.sign_up(other)
    order = sorted(others, key=lambda other: (AT - others.index(other) // 2, other), reverse=True)
    pages = await walk(ask, query, author, size)
    assert [other for page in pages for other in page] == [other for other in order if other in present]
    assert all(len(page) == size for page in pages[:-1])
    assert pages[-1]
    for other in others:
        documents.sign_up(other)
    assert [other for page in await walk(ask, query, author, size) for other in page] == order


@SIDES
async def test_an_unfollow_takes_the_author_out(documents, ask, query, swapped):
    """A follower who unfollowed is not listed, and a cursor at the ended follow stays right."""
    author, others = documents.sign_up(), [documents.sign_up() for _ in range(4)]
    for place, other in enumerate(others):
        lay(documents, author, other, swapped, at=AT - place)
    cursor = (await ask(query(author_id=author, size=2))).next_cursor
    documents.unfollow(*((author, others[1]) if swapped else (others[1], author)))
    shown = (await ask(query(author_id=author, cursor=cursor))).data.authors
    assert [each.author_id for each in shown] == others[2:]


@SIDES
async def test_each_page_has_the_number_of_all_follows(documents, ask, query, swapped):
    """The total is the author's count, whatever the page."""
    author = documents.sign_up()
    assert (await ask(query(author_id=author))).total == 0
    for number in range(3):
        lay(documents, author, documents.sign_up(), swapped, at=AT + number)
    first = await ask(query(author_id=author, size=2))
    last = await ask(query(author_id=author, size=2, cursor=first.next_cursor))
    assert (first.total, last.total) == (3, 3)
