import pytest

from write_api.domain.author import Author
from write_api.domain.errors import AuthorIdTaken, Invalid
from write_api.domain.values import CheepText, Identifier

NOW = 1_647_292_130_123_456
FORM = {"author_id": "a64a52cc-3ee9-4a15-918b-099e18b43119", "username": "bob", "email": "bob@bob.com"}


def test_a_sign_up_makes_an_author():
    """The author has what was given, in its normal form, and has not posted."""
    author = Author.sign_up({**FORM, "name": "Bob", "bio": None, "birth_date": "2022-03-13"}, NOW)
    assert (author.username, author.name, author.bio, author.birth_date) == ("bob", "Bob", None, "2022-03-13")
    assert (author.signed_up_at, author.last_cheep_date) == (NOW, 0)


def test_today_is_the_day_of_the_sign_up():
    """A birth date is in the past of the sign-up, in UTC."""
    with pytest.raises(Invalid, match="birth_date must be in the past"):
        Author.sign_up({**FORM, "birth_date": "2022-03-14"}, NOW)


def test_a_repeat_says_what_the_first_one_said():
    """The same content passes, whenever; any other content under the id is refused."""
    author = Author.sign_up(FORM, NOW)
    author.accept_repeat(Author.sign_up({**FORM, "bio": None}, NOW + 1))
    for change in ({"username": "Bob"}, {"email": "x@bob.com"}, {"bio": ""}):
        with pytest.raises(AuthorIdTaken):
            author.accept_repeat(Author.sign_up({**FORM, **change}, NOW))


def test_cheep_dates_rise_even_if_the_clock_does_not():
    """Each cheep is later than the one before it, by a microsecond where the clock stands still or goes back."""
    author = Author.sign_up(FORM, NOW)
    dates = [author.post(Identifier(str(at)), CheepText("Hello"), NOW + at).cheep_date for at in (5, 5, -100, 50)]
    assert dates == [NOW + 5, NOW + 6, NOW + 7, NOW + 50]
