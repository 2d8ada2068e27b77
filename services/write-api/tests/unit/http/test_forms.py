import json

import pytest

from cheeper_contracts.commands.answer_cheep import AnswerCheep
from cheeper_contracts.commands.delete_cheep import DeleteCheep
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.commands.update_profile import UpdateProfile
from cheeper_contracts.http import routes
from cheeper_contracts.http.responses import WrongField
from write_api.domain.errors import Invalid
from write_api.http.errors import MalformedJsonError
from write_api.http.forms import fill_in, form_of

AUTHOR, CHEEP = "a64a52cc-3ee9-4a15-918b-099e18b43119", "28bc90bd-2dfb-4b71-962f-81f02b0b3149"
FORMS = {
    AnswerCheep: form_of(AnswerCheep, "POST", routes.ANSWER, "cheep_id"),
    DeleteCheep: form_of(DeleteCheep, "DELETE", routes.CHEEP),
    PostCheep: form_of(PostCheep, "POST", routes.CHEEPS, "cheep_id"),
    SignUp: form_of(SignUp, "POST", routes.AUTHORS, "author_id"),
    UpdateProfile: form_of(UpdateProfile, "PATCH", routes.AUTHOR),
}


def filled(command, body=b"", path=None, query=b"", wrong=()):
    return fill_in(FORMS[command], path or {}, query, body, list(wrong))


def wrong_with(*request, **parts):
    with pytest.raises(Invalid) as caught:
        filled(*request, **parts)
    return [(field.field, field.message) for field in caught.value.fields]


def test_a_field_stands_in_the_path_else_in_the_body_and_in_the_query_if_there_is_none():
    """Route and method determine the place of a field."""
    answer, delete = FORMS[AnswerCheep], FORMS[DeleteCheep]
    assert ([*answer.path], [*answer.query]) == (["in_reply_to"], [])
    assert [*answer.body] == ["cheep_id", "author_id", "message"]
    assert ([*delete.path], [*delete.query], delete.body) == (["cheep_id"], ["author_id"], None)


def test_a_form_that_is_right_is_filled_in():
    """Texts come as they were sent, and ids in lower case."""
    body = f'{{"author_id": "{AUTHOR.upper()}", "message": " Hi ", "cheep_id": null}}'.encode()
    post = {"author_id": AUTHOR, "message": " Hi ", "cheep_id": None}
    assert filled(PostCheep, body) == post
    assert filled(AnswerCheep, body, {"in_reply_to": CHEEP.upper()}) == {**post, "in_reply_to": CHEEP}
    delete = filled(DeleteCheep, path={"cheep_id": CHEEP}, query=b"author_id=" + AUTHOR.encode())
    assert delete == {"cheep_id": CHEEP, "author_id": AUTHOR}


def test_null_and_absent_are_two_things():
    """Null clears a field of the profile, an absent field is not set, and an empty body sets no field."""
    fields = filled(UpdateProfile, b'{"bio": null, "name": "Bob"}', {"author_id": AUTHOR})
    assert fields == {"author_id": AUTHOR, "bio": None, "name": "Bob"}
    assert filled(UpdateProfile, b"{}", {"author_id": AUTHOR}) == {"author_id": AUTHOR}


def test_every_kind_of_wrong_field_is_named_at_once():
    """One response names fields that are missing, unknown, of the wrong type, or against their rule."""
    body = b'{"username": "", "bio": 5, "shoe_size": 43, "website": "bob"}'
    assert wrong_with(SignUp, body, query=b"x=1&y", wrong=[WrongField("Key", "must be a UUID")]) == [
        ("Key", "must be a UUID"),
        ("x", "is unknown"),
        ("y", "is unknown"),
        ("email", "is missing"),
        ("bio", "must be text"),
        ("shoe_size", "is unknown"),
        ("username", "must be 1 to 30 of the characters A-Z a-z 0-9 _"),
        ("website", "must be an http or https URL with a valid host, without a user's name, spaces and backslashes"),
    ]


def test_wrong_fields_of_path_and_body_are_named_at_once():
    """A field has one place, and is unknown in any other."""
    assert wrong_with(AnswerCheep, b'{"message": null, "in_reply_to": ""}', {"in_reply_to": "x"}) == [
        ("author_id", "is missing"),
        ("message", "must be text"),
        ("in_reply_to", "is unknown"),
        ("in_reply_to", "must be a UUID"),
    ]


def test_wrong_fields_of_path_and_query_are_named_at_once():
    """A parameter is given once, and a request without a body has none."""
    query = b"author_id=&author_id=bob&message=Hi"
    assert wrong_with(DeleteCheep, b"{}", {"cheep_id": "x"}, query) == [
        ("author_id", "must be given at most once"),
        ("message", "is unknown"),
        ("body", "must be empty"),
        ("cheep_id", "must be a UUID"),
        ("author_id", "must be a UUID"),
    ]
    assert wrong_with(DeleteCheep, path={"cheep_id": CHEEP}) == [("author_id", "is missing")]


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        (b'{"message": "Hi", "message": "Hi"}', ["message"]),
        (b'{"message": "Hi", "mess\\u0061ge": "Ho"}', ["message"]),
        (b'{"message": {"a": [{"b": 1, "c": 2, "b": 3}], "a": 4}}', ["b", "a"]),
        (b'{"x": "{\\"a\\":1,\\"a\\":2}", "y": ["a", "a"], "z": {"a": {"a": 1}}}', []),
    ],
)
def test_a_key_of_an_object_is_given_once(body, keys):
    """A repeated key is refused at any depth, also in another spelling, and no text or array of equal parts is one."""
    wrong = wrong_with(PostCheep, body)
    assert [name for name, message in wrong if message == "must be given at most once"] == keys


def test_an_error_names_twenty_fields():
    """More wrong fields are not named, and a long name is cut, so a response is no larger than its request."""
    named = wrong_with(PostCheep, json.dumps({f"{'x' * 1_000}{number}": 1 for number in range(60)}).encode())
    assert len(named) == 20
    assert {name for name, _ in named} == {"author_id", "message", "x" * 64 + "…"}


def test_a_query_has_few_parameters():
    """A query string of thousands of parameters is refused before it is taken apart."""
    query = b"author_id=" + AUTHOR.encode()
    assert wrong_with(DeleteCheep, path={"cheep_id": CHEEP}, query=query + b"&" * 60_000) == [
        ("query", "must have at most 50 parameters"),
        ("author_id", "is missing"),
    ]
    assert filled(DeleteCheep, path={"cheep_id": CHEEP}, query=query + b"&" * 49)["author_id"] == AUTHOR


@pytest.mark.parametrize("value", [b"[]", b"null", b'"text"', b"7"])
def test_json_that_is_no_object_is_wrong_as_a_whole(value):
    """The body is named, and the fields of other places."""
    assert wrong_with(PostCheep, value) == [("body", "must be a JSON object")]
    assert wrong_with(UpdateProfile, value, {"author_id": "x"}) == [
        ("body", "must be a JSON object"),
        ("author_id", "must be a UUID"),
    ]


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
        b"[" * 60_000,
    ],
)
def test_malformed_json_is_an_error_of_its_own(value):
    """It is malformed even if the part that can be read has wrong fields."""
    with pytest.raises(MalformedJsonError):
        filled(PostCheep, value)
