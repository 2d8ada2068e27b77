import pytest

from read_api.http.parameters import AUTHOR_ID, CURSOR, OFFSET, SIZE, WAIT, InvalidError, read_parameters
from read_api.queries.cursor import decode_cursor, encode_cursor

ID = "0A0b0c0d-0000-4000-8000-0000000000aB"
ALLOWED = (AUTHOR_ID, SIZE, CURSOR, OFFSET, *WAIT)


def read(query="", author_id=ID):
    return read_parameters(ALLOWED, {"author_id": author_id}, query.encode())


def wrong(query="", author_id=ID):
    with pytest.raises(InvalidError) as caught:
        read(query, author_id)
    return [field.field for field in caught.value.fields]


def test_ids_are_lower_cased():
    """An id may come in either case and goes on in lower case."""
    assert read(f"after={ID}") == {"author_id": ID.lower(), "after": ID.lower()}


def test_what_is_not_given_is_left_to_the_query():
    """Defaults stand in the query alone."""
    assert set(read()) == {"author_id"}


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
        (f"cursor={'A' * 32}", "cursor", "A" * 32),
    ],
)
def test_what_is_allowed(query, name, value):
    """The ends of each range belong to it."""
    assert read(query)[name] == value


@pytest.mark.parametrize(
    "query",
    [
        *("size=0", "size=101", "size=-1", "size=", "size=ten", "size=1.0", "size=\u0661", "size=99999999999999999999"),
        *("offset=-1", "offset=800", "timeout=-1", "timeout=10.1", "timeout=nan", "timeout=inf", "timeout="),
        *("cursor=", "cursor=abc", f"cursor={'A' * 33}", f"cursor={'*' * 32}", f"cursor={'A' * 32}%0A"),
        *("after=", "after=x", f"after={ID.replace('-', '')}", f"after={ID}%0A", "after=%ff"),
        *("unknown=1", "=1", "author_id=1", "size=3&size=3"),
    ],
)
def test_what_is_not_allowed(query):
    """A wrong value, an unknown parameter or one given twice is a wrong field of that name."""
    assert wrong(query) == [query.split("&")[-1].split("=")[0]]


def test_all_wrong_fields_are_reported_at_once():
    """A client need not mend its request field by field."""
    assert wrong("size=0&offset=-1&x=1", author_id="me") == ["author_id", "size", "offset", "x"]


def test_a_cursor_is_any_entry():
    """Every entry has a cursor, and comes back from it."""
    for entry in (bytes(24), bytes(range(24)), b"\xff" * 24):
        assert decode_cursor(encode_cursor(entry)) == entry
        assert read(f"cursor={encode_cursor(entry)}")["cursor"] == encode_cursor(entry)
