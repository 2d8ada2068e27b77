from contextlib import suppress
from urllib.parse import quote

import pytest
from litestar.openapi.spec import Schema

from read_api.http.parameters import InvalidError, Parameter, read_parameters

pytestmark = pytest.mark.proves(guarantee="callers")


def parameter(name, place="query", **options):
    """A parameter that is a whole number."""
    given = {"longest": 9, "read": int, **options}
    return Parameter(name=name, place=place, wrong="must be a number", schema=Schema(), description="", **given)


ALLOWED = (parameter("author_id", "path"), parameter("size"), parameter("q", required=True))
TABLE = {allowed.name: allowed for allowed in ALLOWED}


def wrong(query, author_id="1"):
    with pytest.raises(InvalidError) as caught:
        read_parameters(TABLE, {"author_id": author_id}, query.encode())
    return [(field.field, field.message) for field in caught.value.fields]


def test_what_is_not_given_is_left_to_the_query():
    """Defaults stand in the query alone."""
    assert read_parameters(TABLE, {"author_id": "1"}, b"q=2") == {"author_id": 1, "q": 2}


def test_a_required_one_must_be_given():
    """A required parameter is reported once if it is missing, wrong or empty."""
    assert wrong("") == [("q", "is missing")]
    assert wrong("q=x") == wrong("q=") == [("q", "must be a number")]


@pytest.mark.parametrize(
    ("query", "name", "message"),
    [
        ("size=x", "size", "must be a number"),
        ("unknown=1", "unknown", "is unknown"),
        ("=1", "", "is unknown"),
        ("author_id=1", "author_id", "must be given at most once"),
        ("size=3&size=3", "size", "must be given at most once"),
    ],
)
def test_what_is_not_allowed(query, name, message):
    """A wrong value, an unknown parameter or one given twice is a wrong field of that name."""
    assert wrong(f"q=1&{query}") == [(name, message)]


@pytest.mark.parametrize("place", ["path", "query"])
def test_a_text_that_is_too_long_is_not_read(place):
    """No parameter's text is matched, folded or normalised before its length is known."""
    read = []
    table = {"x": parameter("x", place, longest=3, read=read.append)}
    for text in ("abc", "abcd"):
        path, query = ({"x": text}, b"") if place == "path" else ({}, f"x={text}".encode())
        with suppress(InvalidError):
            read_parameters(table, path, query)
    assert read == ["abc"]


def test_a_text_that_piles_up_marks_is_not_read():
    """At most 30 combining marks follow one another, as in what is searched."""
    read = []
    table = {"x": parameter("x", longest=90, read=read.append)}
    for marks in (30, 31):
        with suppress(InvalidError):
            read_parameters(table, {}, quote(f"x=a{chr(0x300) * marks}", safe="=").encode())
    assert read == ["a" + chr(0x300) * 30]


def test_all_wrong_fields_are_reported_at_once():
    """All wrong fields of a request are in one response."""
    assert [name for name, _ in wrong("size=x&x=1", author_id="me")] == ["author_id", "size", "x", "q"]


def test_an_error_names_twenty_parameters():
    """More wrong parameters are not named."""
    assert len(wrong("&".join(f"x{number}=1" for number in range(40)))) == 20


def test_a_query_has_few_parameters():
    """A query string of thousands of parameters is refused before it is taken apart."""
    assert wrong("q=1" + "&" * 60_000) == [("query", "must have at most 50 parameters")]
    assert read_parameters(TABLE, {"author_id": "1"}, b"q=2" + b"&" * 49) == {"author_id": 1, "q": 2}


def test_openapi_marks_required_parameters():
    """A parameter of the path is always required, one of the query where it says so."""
    assert [allowed.documented().required for allowed in ALLOWED] == [True, False, True]
