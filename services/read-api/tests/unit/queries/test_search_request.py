from hypothesis import given
from hypothesis import strategies as st

from cheeper_contracts.words import words_of
from read_api.queries.search import TOTAL_MAX, Matches, SearchQuery, search_page, search_request
from read_api.query_bus.query import Result

TEXTS = st.lists(st.text("abé ", min_size=1, max_size=4), max_size=6).map(" ".join)


@given(q=TEXTS, text=TEXTS)
def test_the_request_finds_what_q_finds(q, text):
    """The fewest prefixes are requested that find the same as all words of q."""
    request, words = search_request(SearchQuery(q=q)), words_of(text)

    def found(beginnings):
        return all(any(word.startswith(beginning) for word in words) for beginning in beginnings)

    assert found(request.prefixes) == found(words_of(q))
    assert not any(a != b and a.startswith(b) for a in request.prefixes for b in request.prefixes)


def page_of(total, *, capped=False, settled=True):
    matches = Matches(documents=[], total=total, total_is_capped=capped)
    return search_page(dict, SearchQuery(q="a"), Result(data=matches, settled=settled), list)


def test_pages_are_counted_from_one():
    """The first page skips nothing, and the newest comes first by default."""
    first, third = (search_request(SearchQuery(q="a", page=page, page_size=7)) for page in (1, 3))
    assert (first.skip, first.limit, third.skip, first.newest_first) == (0, 7, 14, True)
    assert not search_request(SearchQuery(q="a", sort_order="asc")).newest_first


def test_the_last_page_may_be_short():
    """The number of pages is rounded up."""
    pages = [page_of(total).data["total_pages"] for total in (0, 1, 20, 21, TOTAL_MAX)]
    assert pages == [0, 1, 1, 2, 50]


def test_a_page_says_whether_more_was_found_than_counted():
    """The page keeps what the view reports: that the total is capped, and that the data are settled."""
    for capped in (False, True):
        found = page_of(TOTAL_MAX, capped=capped, settled=not capped)
        assert (found.total_is_capped, found.settled) == (capped, not capped)
