from hypothesis import given
from hypothesis import strategies as st

from cheeper_contracts.views import pack_entry
from read_api.query_bus.cursor import encode_cursor
from read_api.query_bus.paging import Listed, ListQuery, page_of, part_of

IDS = st.uuids().map(str)
PLACES = st.tuples(st.integers(0, 5), IDS)


def given_part(places, part):
    """What a view gives of a list that is newest first."""
    there = [place for place in sorted(places, reverse=True) if part.beyond is None or place < part.beyond]
    return Listed(entries=there[: part.most], settled=True)


def page(places, **query):
    asked = ListQuery(**query)
    return page_of(asked, given_part(places, part_of(asked)), lambda place: place, list)


@given(places=st.sets(PLACES, max_size=30), size=st.integers(1, 10))
def test_walking_gives_every_entry_once_in_full_pages(places, size):
    """By cursor all entries come once, in order, in pages that are full but for the last, which has no cursor."""
    pages, cursor = [], None
    while True:
        found = page(places, size=size, cursor=cursor)
        pages.append(found.data)
        if (cursor := found.next_cursor) is None:
            break
    assert [place for each in pages for place in each] == sorted(places, reverse=True)
    assert all(len(each) == size for each in pages[:-1])
    assert pages[-1] or len(pages) == 1


@given(place=PLACES)
def test_a_cursor_is_the_place_to_go_on_behind(place):
    """A query's cursor names the time and the id behind which the part begins, and one more than the page is asked."""
    part = part_of(ListQuery(cursor=encode_cursor(pack_entry(*place)), size=7))
    assert (part.beyond, part.most) == (place, 8)
    assert part_of(ListQuery()).beyond is None


def test_whose_list_it_would_be_is_not_there():
    """No list is nothing found, and says whether the wait was over."""
    for settled in (False, True):
        found = page_of(ListQuery(), Listed(entries=None, settled=settled), lambda place: place, list)
        assert (found.data, found.settled, found.next_cursor) == (None, settled, None)
