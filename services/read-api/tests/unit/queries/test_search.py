import random

import pytest
import read_api_fakes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from read_api_layout import AT, new_id

import read_api.stores.mongo.search
from cheeper_contracts.words import words_of
from read_api.queries.search_authors import SearchAuthors
from read_api.queries.search_cheeps import SearchCheeps

WORDS = ["a", "ab", "abc", "b", "Bä", "ba", "é", "東京", "東", "42", "4", "ß", "z"]
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
several = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def meets(q, *texts):
    """Return whether every word of q begins some word of the texts."""
    return all(any(word.startswith(wanted) for word in words_of(*texts)) for wanted in words_of(q))


def ids_of(found):
    return [item.cheep_id for item in found.data.items]


@pytest.fixture
def cheeps(documents):
    """Cheeps of three authors, many of the same time, some deleted; those that live, newest first."""
    seed = random.Random(3)
    authors = [new_id() for _ in range(3)]
    laid = []
    for _ in range(150):
        author, at = seed.choice(authors), AT + seed.randrange(20)
        message = " ".join(seed.choices(WORDS, k=seed.randrange(1, 5)))
        cheep = documents.post(author, message, at=at)
        if seed.random() < 0.2:
            documents.delete(cheep)
        else:
            laid.append((at, cheep, author, message))
    return sorted(laid, reverse=True)


@several
@given(q=TEXTS, page=st.integers(1, 5), size=st.integers(1, 40), order=st.sampled_from(["asc", "desc"]), data=st.data())
async def test_cheeps_are_found_as_by_comparing_each(cheeps, ask, q, page, size, order, data):
    """A search finds what meets every word, of one author or of all, in order, page by page, and counts it."""
    authors = sorted({author for _, _, author, _ in cheeps})
    author = data.draw(st.none() | st.sampled_from([*authors, new_id()]))
    expected = [
        cheep
        for _, cheep, by, message in (cheeps if order == "desc" else reversed(cheeps))
        if meets(q, message) and author in {None, by}
    ]
    found = await ask(SearchCheeps(q=q, page=page, page_size=size, sort_order=order, author_id=author))
    assert ids_of(found) == expected[(page - 1) * size : page * size]
    assert (found.data.total, found.data.total_pages) == (len(expected), (len(expected) + size - 1) // size)
    assert (found.data.page, found.data.page_size) == (page, size)


async def test_an_item_is_a_cheep(documents, ask):
    """An item is the cheep as any list shows it."""
    cheep = documents.post(author := new_id(), "Crème BRÛLÉE, now!", parent=(parent := new_id()))
    (item,) = (await ask(SearchCheeps(q="brul creme"))).data.items
    assert (item.cheep_id, item.cheep_message, item.author_id) == (cheep, "Crème BRÛLÉE, now!", author)
    assert (item.in_reply_to, item.cheep_date) == (parent, "2022-03-14T21:08:50+00:00")


@pytest.mark.parametrize("q", ["bo", "BUIL bob", "hé", "b builder"])
async def test_authors_are_found_by_username_and_name(documents, ask, q):
    """An author is found by the words of the username and the name together, and is the author as asked for by id."""
    author = documents.sign_up(username="Bob_7", name="Hélène Builder", bio="x")
    documents.sign_up(username="alice", name="Cob Guilder")
    documents.follow(new_id(), author)
    found = (await ask(SearchAuthors(q=q))).data
    assert [(item.author_id, item.username, item.bio, item.followers) for item in found.items] == [
        (author, "Bob_7", "x", 1)
    ]
    assert (found.total, found.page, found.page_size, found.total_pages) == (1, 1, 20, 1)


async def test_authors_come_by_their_sign_up(documents, ask):
    """Authors are ordered by sign-up, either way; those without one are not found."""
    first, second = documents.sign_up(at=AT), documents.sign_up(at=AT + 1)
    documents.follow(new_id(), new_id())
    for order, expected in (("desc", [second, first]), ("asc", [first, second])):
        found = await ask(SearchAuthors(q="bob", sort_order=order))
        assert [item.author_id for item in found.data.items] == expected


async def test_nothing_is_an_empty_page(documents, ask):
    """A search without a match has no page, and a page beyond the last is empty, with the right total."""
    documents.post(message="hello")
    for query, total in ((SearchCheeps(q="bye"), 0), (SearchCheeps(q="hello", page=999_999_999, page_size=100), 1)):
        found = (await ask(query)).data
        assert (found.items, found.total, found.total_pages) == ([], total, total)


async def test_counting_is_capped(documents, ask, monkeypatch):
    """Of more matches than are counted, the first ones in order are shown and counted, on pages that then end."""
    for module in (read_api_fakes, read_api.stores.mongo.search):
        monkeypatch.setattr(module, "TOTAL_MAX", 10)
    cheeps = [documents.post(message="hello", at=AT + number) for number in range(12)]
    whole = []
    for page in range(1, 5):
        found = await ask(SearchCheeps(q="hello", page=page, page_size=4))
        assert (found.data.total, found.data.total_pages, found.total_is_capped) == (10, 3, True)
        whole += ids_of(found)
    assert whole == cheeps[:-11:-1]
    documents.delete(cheeps.pop())
    assert (await ask(SearchCheeps(q="hello"))).total_is_capped
    documents.delete(cheeps.pop())
    found = await ask(SearchCheeps(q="hello", sort_order="asc"))
    assert (found.data.total, found.total_is_capped) == (10, False)


async def test_as_many_words_as_fit(documents, ask):
    """The longest q, of as many words as it can have, is answered."""
    words = [chr(0x4E00 + number) for number in range(130)]
    cheep = documents.post(message=" ".join(words))
    documents.post(message=" ".join(words[1:]))
    assert ids_of(await ask(SearchCheeps(q=" ".join(words)))) == [cheep]
