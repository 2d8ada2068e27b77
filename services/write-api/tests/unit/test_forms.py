import pytest
from msgspec import UNSET

from cheeper_contracts import routes
from cheeper_contracts.answers import WrongField
from write_api.domain.errors import Invalid
from write_api.http.endpoints.answer_cheep import AnswerCheepForm
from write_api.http.endpoints.delete_cheep import DeleteCheepForm
from write_api.http.endpoints.post_cheep import PostCheepForm
from write_api.http.endpoints.sign_up import SignUpForm
from write_api.http.endpoints.update_profile import UpdateProfileForm
from write_api.http.errors import MalformedJsonError
from write_api.http.forms import fill_in, places_of

AUTHOR, CHEEP = "a64a52cc-3ee9-4a15-918b-099e18b43119", "28bc90bd-2dfb-4b71-962f-81f02b0b3149"
TAKEN = {
    AnswerCheepForm: ("POST", routes.ANSWER),
    DeleteCheepForm: ("DELETE", routes.CHEEP),
    PostCheepForm: ("POST", routes.CHEEPS),
    SignUpForm: ("POST", routes.AUTHORS),
    UpdateProfileForm: ("PATCH", routes.AUTHOR),
}


def filled(form_type, body=b"", path=None, query=b"", wrong=()):
    return fill_in(form_type, places_of(form_type, *TAKEN[form_type]), path or {}, query, body, list(wrong))


def wrong_with(*request, **parts):
    with pytest.raises(Invalid) as caught:
        filled(*request, **parts)
    return [(field.field, field.message) for field in caught.value.fields]


def test_a_field_stands_in_the_path_else_in_the_body_and_in_the_query_where_there_is_none():
    """Route and method say so: the form does not."""
    answer, delete = (places_of(form, *TAKEN[form]) for form in (AnswerCheepForm, DeleteCheepForm))
    assert ([*answer.path], [*answer.query]) == (["in_reply_to"], [])
    assert [*answer.body] == ["cheep_id", "author_id", "message"]
    assert ([*delete.path], [*delete.query], delete.body) == (["cheep_id"], ["author_id"], None)


def test_a_form_that_is_right_is_filled_in():
    """Texts come as they were sent; what is left out or null is none."""
    body = f'{{"author_id": "{AUTHOR}", "message": " Hi ", "cheep_id": null}}'.encode()
    assert filled(PostCheepForm, body) == PostCheepForm(author_id=AUTHOR, message=" Hi ")
    answer = filled(AnswerCheepForm, body, {"in_reply_to": CHEEP.upper()})
    assert answer == AnswerCheepForm(in_reply_to=CHEEP.upper(), author_id=AUTHOR, message=" Hi ")
    delete = filled(DeleteCheepForm, path={"cheep_id": CHEEP}, query=b"author_id=" + AUTHOR.encode())
    assert delete == DeleteCheepForm(cheep_id=CHEEP, author_id=AUTHOR)


def test_null_and_absent_are_two_things_where_the_type_says_so():
    """Null clears a field of the profile, what is absent is not set, and an empty body sets nothing."""
    form = filled(UpdateProfileForm, b'{"bio": null, "name": "Bob"}', {"author_id": AUTHOR})
    assert (form.name, form.bio, form.location) == ("Bob", None, UNSET)
    assert filled(UpdateProfileForm, b"{}", {"author_id": AUTHOR}) == UpdateProfileForm(author_id=AUTHOR)


def test_every_kind_of_wrong_field_is_told_at_once():
    """Missing, unknown, of the wrong type, against the rule: all in one answer, after what was wrong before."""
    body = b'{"username": "", "bio": 5, "shoe_size": 43, "website": "bob"}'
    assert wrong_with(SignUpForm, body, query=b"x=1&y", wrong=[WrongField("Key", "must be a UUID")]) == [
        ("Key", "must be a UUID"),
        ("x", "is an unknown query parameter"),
        ("y", "is an unknown query parameter"),
        ("email", "is missing"),
        ("bio", "must be text"),
        ("shoe_size", "is unknown"),
        ("username", "must be 1 to 30 of the characters A-Z a-z 0-9 _"),
        ("website", "must be an http or https URL"),
    ]


def test_wrong_fields_of_path_and_body_are_told_at_once():
    """A field has one place: in another one it is unknown."""
    assert wrong_with(AnswerCheepForm, b'{"message": null, "in_reply_to": ""}', {"in_reply_to": "x"}) == [
        ("author_id", "is missing"),
        ("message", "must be text"),
        ("in_reply_to", "is unknown"),
        ("in_reply_to", "must be a UUID"),
    ]


def test_wrong_fields_of_path_and_query_are_told_at_once():
    """A parameter is given once, and a request without a body has none."""
    query = b"author_id=&author_id=bob&message=Hi"
    assert wrong_with(DeleteCheepForm, b"{}", {"cheep_id": "x"}, query) == [
        ("author_id", "must be given once"),
        ("message", "is an unknown query parameter"),
        ("body", "must be empty"),
        ("cheep_id", "must be a UUID"),
        ("author_id", "must be a UUID"),
    ]
    assert wrong_with(DeleteCheepForm, path={"cheep_id": CHEEP}) == [("author_id", "is missing")]


@pytest.mark.parametrize("value", [b"[]", b"null", b'"text"', b"7"])
def test_json_that_is_no_object_is_wrong_as_a_whole(value):
    """There are no fields to name but the body, and those that stand elsewhere."""
    assert wrong_with(PostCheepForm, value) == [("body", "must be a JSON object")]
    assert wrong_with(UpdateProfileForm, value, {"author_id": "x"}) == [
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
def test_what_is_no_json_is_told_apart(value):
    """Even where the part that can be read has wrong fields."""
    with pytest.raises(MalformedJsonError):
        filled(PostCheepForm, value)
