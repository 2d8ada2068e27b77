from hypothesis import given
from hypothesis import strategies as st

from cheeper_contracts.words import words_of
from read_api.queries.search import SearchQuery, pages_of, wanted_of

TEXTS = st.lists(st.text("abé ", min_size=1, max_size=4), max_size=6).map(" ".join)


@given(q=TEXTS, text=TEXTS)
def test_what_is_wanted_is_what_q_says(q, text):
    """The fewest beginnings are asked for that find the same as every word of q does."""
    wanted, words = wanted_of(SearchQuery(q=q)), words_of(text)

    def found(beginnings):
        return all(any(word.startswith(beginning) for word in words) for beginning in beginnings)

    assert found(wanted.prefixes) == found(words_of(q))
    assert not any(a != b and a.startswith(b) for a in wanted.prefixes for b in wanted.prefixes)


def test_pages_are_counted_from_one():
    """The first page skips nothing, and the newest comes first unless it is said otherwise."""
    first, third = (wanted_of(SearchQuery(q="a", page=page, page_size=7)) for page in (1, 3))
    assert (first.skip, first.most, third.skip, first.newest_first) == (0, 7, 14, True)
    assert not wanted_of(SearchQuery(q="a", sort_order="asc")).newest_first


def test_the_last_page_may_be_short():
    """There are as many pages as it takes."""
    assert [pages_of(total, 20) for total in (0, 1, 20, 21)] == [0, 1, 1, 2]
