import msgspec
import pytest

from write_api.domain.errors import Invalid
from write_api.http.bodies import decode
from write_api.http.endpoints.post_cheep import PostCheepBody
from write_api.http.endpoints.sign_up import SignUpBody

AUTHOR = "a64a52cc-3ee9-4a15-918b-099e18b43119"


def wrong(body_type, value):
    with pytest.raises(Invalid) as caught:
        decode(body_type, value, [])
    return {field.field: field.message for field in caught.value.fields}


def test_a_body_that_is_right_is_decoded():
    """Texts come as they were sent; what is left out or null is none."""
    body = decode(PostCheepBody, msgspec.json.encode({"author_id": AUTHOR, "message": " Hi ", "cheep_id": None}), [])
    assert body == PostCheepBody(author_id=AUTHOR, message=" Hi ")


def test_every_kind_of_wrong_field_is_told_at_once():
    """Missing, unknown, of the wrong type, against the rule: all in one answer."""
    assert wrong(SignUpBody, b'{"username": "", "bio": 5, "shoe_size": 43, "website": "bob"}') == {
        "email": "is missing",
        "bio": "must be text",
        "shoe_size": "is unknown",
        "username": "must be 1 to 30 of the characters A-Z a-z 0-9 _",
        "website": "must be an http or https URL",
    }


@pytest.mark.parametrize("value", [b"[]", b"null", b'"text"', b"7"])
def test_json_that_is_no_object_is_wrong_as_a_whole(value):
    """There are no fields to name but the body."""
    assert wrong(PostCheepBody, value) == {"body": "must be a JSON object"}


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"message": "\xff"}',
        b'{"a": NaN}',
        b"{} {}",
        b'{"message": "\\ud800"}',
        b'{"x": ',
        b'{"x": "\xff"}',
    ],
)
def test_what_is_no_json_is_told_apart(value):
    """Even where the part that can be read has wrong fields."""
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)) as caught:
        decode(PostCheepBody, value, [])
    assert not isinstance(caught.value, msgspec.ValidationError)
