from itertools import product
from typing import ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheeper_contracts.views import pack_entry
from read_api.http.endpoints import ENDPOINTS
from read_api.query_bus.paging import ListQuery, decode_cursor, encode_cursor, page_of, slice_of
from read_api.query_bus.query import ForeignCursorError, Result

IDS = st.uuids().map(str)
POSITIONS = st.tuples(st.integers(0, 5), IDS)


LISTS = [row.query for row in ENDPOINTS if issubclass(row.query, ListQuery)]
OWNERS = ("0f0e", "0f0f")


class Shelf(ListQuery, frozen=True, kw_only=True):
    """The list that the tests walk."""

    owner: ClassVar[str] = "shelf_id"

    shelf_id: str = "shelf"


def read_slice(positions, part):
    """Return a part of a list that is newest first, as a view would."""
    found = [each for each in sorted(positions, reverse=True) if part.beyond is None or each < part.beyond]
    return Result(data=found[: part.limit])


def page(positions, **fields):
    query = Shelf(**fields)
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
    part = slice_of(Shelf(cursor=encode_cursor(Shelf(), pack_entry(*position)), size=7))
    assert (part.beyond, part.limit) == (position, 8)
    assert slice_of(Shelf()).beyond is None


def test_a_list_without_an_owner():
    """Without an owner there are no data, and `settled` is passed on."""
    for settled in (False, True):
        found = page_of(Shelf(), Result(data=None, settled=settled), lambda position: position, list)
        assert (found.data, found.settled, found.next_cursor) == (None, settled, None)


@pytest.mark.parametrize(("kind", "owner"), [*product(LISTS, OWNERS)])
def test_a_cursor_is_accepted_by_its_own_list_alone(kind, owner):
    """A cursor of any list is refused by every other list, and by the same list of another owner, whatever the page."""
    query = kind(**{kind.owner: owner})
    cursor = encode_cursor(query, entry := pack_entry(5, "0f0e0d0c-0000-4000-8000-000000000001"))
    for other, other_owner in product(LISTS, OWNERS):
        reader = other(**{other.owner: other_owner}, cursor=cursor, size=3)
        if (other, other_owner) == (kind, owner):
            assert decode_cursor(reader) == entry
        else:
            with pytest.raises(ForeignCursorError):
                decode_cursor(reader)


def test_every_query_with_a_cursor_is_a_list():
    """No endpoint takes a cursor that its query does not check; there are eight lists."""
    assert [row.query for row in ENDPOINTS if any(each.name == "cursor" for each in row.parameters)] == LISTS
    assert len(LISTS) == 8
    assert all(query.owner in msgspec.structs.asdict(query(**{query.owner: "x"})) for query in LISTS)
