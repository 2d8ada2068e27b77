from hypothesis import given
from hypothesis import strategies as st

from cheeper_contracts.views import pack_entry
from read_api.query_bus.paging import ListQuery, encode_cursor, page_of, slice_of
from read_api.query_bus.query import Result

IDS = st.uuids().map(str)
POSITIONS = st.tuples(st.integers(0, 5), IDS)


def read_slice(positions, part):
    """Return a part of a list that is newest first, as a view would."""
    found = [each for each in sorted(positions, reverse=True) if part.beyond is None or each < part.beyond]
    return Result(data=found[: part.limit])


def page(positions, **fields):
    query = ListQuery(**fields)
    return page_of(query, read_slice(positions, slice_of(query)), lambda position: position, list)


@given(positions=st.sets(POSITIONS, max_size=30), size=st.integers(1, 10))
def test_walking_gives_every_entry_once_in_full_pages(positions, size):
    """By cursor all entries come once, in order, in full pages except the last, which has no cursor."""
    pages, cursor = [], None
    while True:
        found = page(positions, size=size, cursor=cursor)
        pages.append(found.data)
        if (cursor := found.next_cursor) is None:
            break
    assert [position for each in pages for position in each] == sorted(positions, reverse=True)
    assert all(len(each) == size for each in pages[:-1])
    assert pages[-1] or len(pages) == 1


@given(position=POSITIONS)
def test_a_cursor_is_the_position_before_the_page(position):
    """A cursor holds the time and the id behind which the page begins; one entry more than the page is requested."""
    part = slice_of(ListQuery(cursor=encode_cursor(pack_entry(*position)), size=7))
    assert (part.beyond, part.limit) == (position, 8)
    assert slice_of(ListQuery()).beyond is None


def test_a_list_without_an_owner():
    """Without an owner there are no data, and `settled` is passed on."""
    for settled in (False, True):
        found = page_of(ListQuery(), Result(data=None, settled=settled), lambda position: position, list)
        assert (found.data, found.settled, found.next_cursor) == (None, settled, None)
