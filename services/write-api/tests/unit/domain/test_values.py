import unicodedata
from datetime import date
from functools import partial

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheeper_contracts.catalogue import COMMANDS
from write_api.domain import values
from write_api.domain.errors import Invalid
from write_api.domain.texts import is_visible, isolated

DIRECTIONAL = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
CONTROLS = [chr(point) for point in (*range(32), *range(127, 160)) if chr(point) != "\n"]


def refuses(rule, text):
    with pytest.raises(ValueError, match=r"^must "):
        rule(text)


@given(st.uuids())
def test_any_uuid_is_an_identifier(uuid):
    """A UUID of any version is an id, and its spelling in upper case the same one."""
    assert values.identifier(str(uuid)) == values.identifier(str(uuid).upper()) == str(uuid)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bob",
        "a64a52cc3ee94a15918b099e18b43119",
        "{a64a52cc-3ee9-4a15-918b-099e18b43119}",
        "g" * 36,
        "a64a52cc-3ee9-4a15-918b-099e18b43119\n",
        " a64a52cc-3ee9-4a15-918b-099e18b43119",
        "\N{FULLWIDTH DIGIT ONE}64a52cc-3ee9-4a15-918b-099e18b43119",
    ],
)
def test_other_spellings_are_no_identifiers(text):
    """An id has the one form of RFC 9562."""
    refuses(values.identifier, text)


@given(st.from_regex(r"[A-Za-z0-9_]{1,30}", fullmatch=True))
def test_a_username_is_kept_as_written(text):
    """Letters, digits and underscores, up to thirty."""
    assert values.username(text) == text


@pytest.mark.parametrize("text", ["", "u" * 31, "bob ", "bób", "bob\n", "bob-1", "\N{ARABIC-INDIC DIGIT ONE}"])
def test_other_usernames_are_refused(text):
    """Only ASCII's letters, digits and underscore are allowed, and at most thirty of them."""
    refuses(values.username, text)


def test_an_email_is_an_address_in_nfc():
    """An address is kept in NFC, and one of another form is refused; `addresses` has the rules."""
    assert values.email("re\u0301ne\u0301@Example.org") == "r\u00e9n\u00e9@example.org"
    refuses(values.email, "bob")
    refuses(values.email, "a" * 64 + "@" + "b" * 60 + ".c" * 80)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf"], include_characters="\n\u200d"), max_size=300))
def test_a_cheep_has_one_to_260_code_points_after_trimming(text):
    """The length counts code points of the trimmed text in NFC, and what comes back is that text."""
    kept = unicodedata.normalize("NFC", text.strip())
    if is_visible(kept) and 1 <= len(kept) <= 260:
        assert values.cheep_text(text) == kept
    else:
        refuses(values.cheep_text, text)


def test_code_points_are_counted_not_bytes():
    """260 emoji are a cheep, 261 are none, and white space around does not count."""
    assert values.cheep_text(" \n" + "\N{GRINNING FACE}" * 260 + "\t ") == "\N{GRINNING FACE}" * 260
    refuses(values.cheep_text, "\N{GRINNING FACE}" * 261)


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: f"{ord(control):02x}")
@pytest.mark.parametrize("rule", [values.cheep_text, values.name, values.bio, values.location])
def test_control_characters_are_refused(rule, control):
    """Newline is the only control character within a text."""
    assert rule("a\nb") == "a\nb"
    refuses(rule, f"a{control}b")


@pytest.mark.parametrize(
    ("rule", "least", "most"), [(values.name, 1, 50), (values.bio, 0, 160), (values.location, 0, 30)]
)
def test_profile_texts_have_their_lengths(rule, least, most):
    """Name, bio and location have their own bounds, and both ends are within."""
    assert rule("é" * most) == "é" * most
    assert rule("e\N{COMBINING ACUTE ACCENT}" * most) == "é" * most
    assert rule("x" * least) == "x" * least
    refuses(rule, "x" * (most + 1))


@pytest.mark.parametrize("text", ["", " \n", "\u200b", "\u3164", "\u00ad", "\u2800 \u2066"])
def test_a_name_or_a_cheep_shows_something(text):
    """An empty name or cheep, or one with nothing visible, is refused; a bio and a location may be empty."""
    refuses(values.name, text)
    refuses(values.cheep_text, text)
    assert (values.bio(""), values.location("")) == ("", "")


def test_a_name_is_trimmed():
    """White space around a name is dropped, and costs no characters."""
    assert values.name("  Bob B \n") == "Bob B"
    assert values.name(" " * 500 + "b" * 50) == "b" * 50


@pytest.mark.parametrize("control", DIRECTIONAL, ids=lambda control: f"{ord(control):04x}")
def test_directional_controls_have_their_places(control):
    """A name, a location and a website have none; in a cheep and a bio each ends with the text."""
    for rule, text in (
        (values.name, f"a{control}b"),
        (values.location, f"a{control}"),
        (values.website, f"http://a/{control}"),
    ):
        refuses(rule, text)
    for rule in (values.cheep_text, values.bio):
        assert rule(f"a{control}b") == isolated(f"a{control}b")


def test_what_ends_a_directional_control_counts():
    """A text has its greatest length with all that is added to it."""
    assert len(values.cheep_text("\u2067" + "a" * 258)) == 260
    refuses(values.cheep_text, "\u2067" + "a" * 259)


def test_a_text_without_a_dropped_control_is_nfc_and_trimmed():
    """The two sides of a directional control that ends nothing are put together."""
    assert values.cheep_text("\u2069 e\u2069\u0301") == "\u00e9"
    refuses(values.cheep_text, "e" + "\u0301" * 30 + "\u2069" + "\u0301" * 30)


def test_a_website_is_kept_as_written():
    """A URL up to 200 characters is kept; `addresses` has the rules of its parts."""
    longest = "https://bob.com/" + "b" * 184
    assert values.website("HTTPS://BOB.example/%C3%BC") == "HTTPS://BOB.example/%C3%BC"
    assert values.website(longest) == longest
    refuses(values.website, longest + "b")
    refuses(values.website, "bob")


@given(st.dates(max_value=date(2022, 3, 13)))
def test_a_birth_date_is_in_the_past(day):
    """Any day before today."""
    assert values.birth_date(day.isoformat(), date(2022, 3, 14)) == day.isoformat()


@pytest.mark.parametrize(
    "text", ["2022-03-14", "2022-03-15", "20000201", "2000-2-1", "2000-02-30", "0000-01-01", "2000-W01-1", ""]
)
def test_other_birth_dates_are_refused(text):
    """Today, days to come, days that do not exist and other spellings are refused."""
    refuses(partial(values.birth_date, today=date(2022, 3, 14)), text)


NOON = 1_647_259_200_000_000  # of 2022-03-14, in microseconds


def test_all_wrong_fields_are_named_at_once():
    """Every field that breaks its rule is named, in the order of the fields, and None stays None."""
    with pytest.raises(Invalid) as caught:
        values.checked({"author_id": "x", "username": "", "bio": "fine", "name": None}, NOON)
    assert [wrong.field for wrong in caught.value.fields] == ["author_id", "username"]
    assert values.checked({"bio": "fine", "name": None}, NOON) == {"bio": "fine", "name": None}


def test_a_birth_date_is_checked_on_the_day_of_the_command():
    """A command that is handled later is checked against a later day."""
    with pytest.raises(Invalid):
        values.checked({"birth_date": "2022-03-14"}, NOON)
    assert values.checked({"birth_date": "2022-03-14"}, NOON + 86_400_000_000) == {"birth_date": "2022-03-14"}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_every_text_of_every_command_has_a_rule(command):
    """A command's text without a rule could not be checked; a number is one already, by its type."""
    texts = {field.name for field in msgspec.structs.fields(command) if field.type not in (int, int | None)}
    assert texts <= set(values.RULES)


def test_a_digest_does_not_see_absent_fields():
    """A field that is none counts as absent; any other difference shows."""
    assert values.digest_of({"a": "1", "b": None}) == values.digest_of({"a": "1"})
    assert values.digest_of({"a": "1"}) != values.digest_of({"b": "1"})
