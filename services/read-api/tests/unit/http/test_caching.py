from hypothesis import given
from hypothesis import strategies as st

from read_api.http.caching import etag_of, is_known

DATA = st.binary(max_size=40)
CURSOR = st.none() | st.text("ab", min_size=1, max_size=4)
OTHERS = st.lists(st.sampled_from(['"x"', 'W/"y"', "x", "", '"']), max_size=3)


def request(*values):
    return [(b"accept", b"*/*"), *((b"if-none-match", value) for value in values)]


@given(DATA, CURSOR, DATA, CURSOR)
def test_responses_have_the_same_tag_if_they_are_the_same(data, cursor, other_data, other_cursor):
    """The data and the next cursor make a response, and neither its message id nor its time."""
    same = (data, cursor) == (other_data, other_cursor)
    if (data + (cursor or "").encode()) != (other_data + (other_cursor or "").encode()):
        assert not same
        assert etag_of(data, cursor) != etag_of(other_data, other_cursor)
    elif same:
        assert etag_of(data, cursor) == etag_of(other_data, other_cursor)


def test_another_total_is_another_response():
    """A list that has grown elsewhere has the same page, and another total."""
    tags = {etag_of(b"{}", cursor, total) for cursor in (None, "a") for total in (None, 0, 1, 10)}
    assert len(tags) == 8


@given(DATA, OTHERS, OTHERS, st.booleans(), st.booleans())
def test_a_tag_is_found_among_others(data, before, after, weak, separate):
    """Tags are compared weakly, wherever the tag is in the header or headers, and no other tag is taken for it."""
    etag = etag_of(data, None)
    sent = etag.decode() if weak else etag.decode().removeprefix("W/")
    known, unknown = [*before, sent, *after], [*before, *after]
    for tags, expected in ((known, True), (unknown, False)):
        values = [tag.encode() for tag in tags] if separate else [", ".join(tags).encode()]
        assert is_known(etag, request(*values)) is expected


def test_a_star_is_any_response():
    """A client that sends `*` has some response; without the header it has none."""
    assert is_known(etag_of(b"{}", None), request(b"*"))
    assert not is_known(etag_of(b"{}", None), request())
