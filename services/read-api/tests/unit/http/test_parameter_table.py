from urllib.parse import quote

import pytest

from read_api.http import parameter_table as table
from read_api.http.parameters import InvalidError, read_parameters
from read_api.queries.timeline import Timeline
from read_api.query_bus.paging import decode_cursor, encode_cursor

ID = "0A0b0c0d-0000-4000-8000-0000000000aB"
LISTS = (*table.LIST, table.OFFSET, *table.WAIT)
SEARCH = (*table.SEARCH, table.BY_AUTHOR)


def read(allowed, query):
    return read_parameters({parameter.name: parameter for parameter in allowed}, {}, query.encode())


def wrong(allowed, query):
    with pytest.raises(InvalidError) as caught:
        read(allowed, query)
    return [field.field for field in caught.value.fields]


@pytest.mark.parametrize("parameter", [table.AUTHOR_ID, table.CHEEP_ID, table.MESSAGE_ID])
def test_ids_are_lower_cased(parameter):
    """An id may come in either case and goes on in lower case."""
    assert read_parameters({parameter.name: parameter}, {parameter.name: ID}, b"") == {parameter.name: ID.lower()}
    assert read((table.AFTER, table.BY_AUTHOR), f"after={ID}&author_id={ID}") == {
        "after": ID.lower(),
        "author_id": ID.lower(),
    }


@pytest.mark.parametrize(
    ("query", "name", "value"),
    [
        ("size=1", "size", 1),
        ("size=100", "size", 100),
        ("offset=0", "offset", 0),
        ("offset=799", "offset", 799),
        ("timeout=0", "timeout", 0.0),
        ("timeout=2.5", "timeout", 2.5),
        ("timeout=10", "timeout", 10.0),
        ("timeout=1e-3", "timeout", 0.001),
        (f"cursor={'A' * 40}", "cursor", "A" * 40),
    ],
)
def test_what_lists_allow(query, name, value):
    """The ends of each range belong to it."""
    assert read(LISTS, query) == {name: value}


@pytest.mark.parametrize(
    "query",
    [
        *("size=0", "size=101", "size=-1", "size=", "size=ten", "size=1.0", "size=\u0661", "size=99999999999999999999"),
        *("offset=-1", "offset=800", "timeout=-1", "timeout=10.1", "timeout=nan", "timeout=inf", "timeout="),
        *("cursor=", "cursor=abc", f"cursor={'A' * 41}", f"cursor={'*' * 40}", f"cursor={'A' * 40}%0A"),
        *("after=", "after=x", f"after={ID.replace('-', '')}", f"after={ID}%0A", "after=%ff"),
    ],
)
def test_what_lists_do_not_allow(query):
    """A wrong value is a wrong field of that name."""
    assert wrong(LISTS, query) == [query.split("=")[0]]


@pytest.mark.parametrize("query", ["page=1", "page=999999999", "page_size=1", "page_size=100", "sort_by=created_at"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_what_searches_allow(query, order):
    """Pages and their size have an end; there is one thing to sort by, in two orders."""
    name, value = query.split("=")
    found = read(SEARCH, f"q=ab&{query}&sort_order={order}")
    assert (str(found[name]), found["sort_order"]) == (value, order)


@pytest.mark.parametrize(
    "query",
    [
        *("page=0", "page=-1", "page=", "page=x", "page=9999999999", "page_size=0", "page_size=101", "page_size="),
        *("sort_by=", "sort_by=name", "sort_by=created_at%0A", "sort_order=", "sort_order=up", "sort_order=DESC"),
        *("author_id=", "author_id=me"),
    ],
)
def test_what_searches_do_not_allow(query):
    """A wrong value is a wrong field of that name."""
    assert wrong(SEARCH, f"q=ab&{query}") == [query.split("=")[0]]


@pytest.mark.parametrize("q", ["ab", "éa", "a b cd", "東", "я", "λ", " ab ", "-1-", "a1", "ab\0", "ß", "x" * 260])
def test_a_q_with_a_word(q):
    """Any text with a word may be searched for, percent-encoded or not."""
    assert read([table.Q], f"q={quote(q)}") == {"q": q}
    assert read([table.Q], f"q={q.replace(' ', '+')}") == {"q": q}


@pytest.mark.parametrize("query", ["", "q", "q=", "q=%20", "q=-_-", "q=%F0%9F%91%8B", "q=%CC%81", f"q={'x' * 261}"])
def test_a_q_without_a_word(query):
    """Without a word, or too long, it is a wrong field."""
    assert wrong([table.Q], query) == ["q"]


@pytest.mark.parametrize("q", ["a", "Z", "é", "ł", "\uff58", " a ", "a b c", "a,a!", "É ñ ø", "a\0"])
def test_a_q_of_single_latin_letters(q):
    """A search that would find most texts is a wrong field, with and without accents, whatever stands between."""
    assert wrong([table.Q], f"q={quote(q)}") == ["q"]


@pytest.mark.parametrize("query", ["", "username=", "username=a%20b", f"username={'x' * 31}", "username=b%C3%B6b"])
def test_what_is_no_username(query):
    """A username that no author can have is a wrong field."""
    assert wrong([table.USERNAME], query) == ["username"]
    assert read([table.USERNAME], f"username={'X' * 30}") == {"username": "X" * 30}


def test_a_cursor_is_any_entry():
    """Every entry has a cursor, and comes back from it."""
    for entry in (bytes(24), bytes(range(24)), b"\xff" * 24):
        cursor = encode_cursor(Timeline(author_id=ID), entry)
        assert read(LISTS, f"cursor={cursor}") == {"cursor": cursor}
        assert decode_cursor(Timeline(author_id=ID, cursor=cursor)) == entry


def test_a_search_takes_the_size_of_a_page_by_either_name():
    """`size` is what lists call it; whoever gives both is told which one is too much."""
    assert read(SEARCH, "q=ab&size=7") == read(SEARCH, "q=ab&page_size=7") == {"q": "ab", "page_size": 7}
    assert wrong(SEARCH, "q=ab&size=7&page_size=7") == ["page_size"]
    assert wrong(SEARCH, "q=ab&page_size=7&size=7") == ["size"]
    assert wrong(SEARCH, "q=ab&size=101") == ["size"]
