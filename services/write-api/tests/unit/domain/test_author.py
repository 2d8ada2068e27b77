import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from write_api.domain.author import AHEAD_MAX, Author
from write_api.domain.errors import CheepNotFound, Invalid
from write_api.domain.values import CheepText, Email, Identifier
from write_api.testing import MemoryTransactions

HOURS = 3 * 3600 * 1_000_000
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


def test_cheep_dates_rise_even_if_the_clock_does_not():
    """Each cheep is later than the one before it, by a microsecond if the clock does not advance or goes back."""
    author = Author.sign_up(FORM, NOW)
    dates = [author.post(Identifier(str(at)), CheepText("Hello"), NOW + at).cheep_date for at in (5, 5, -100, 50)]
    assert dates == [NOW + 5, NOW + 6, NOW + 7, NOW + 50]


def test_a_date_far_ahead_is_not_the_last_one():
    """The next date follows a cheep that is a little ahead, and ignores one of a clock that was hours ahead."""
    world = asyncio.run(posts_at(0, HOURS, 1, AHEAD_MAX, 2, HOURS, HOURS + 5, HOURS + 5))
    assert world == [0, HOURS, 1, AHEAD_MAX, AHEAD_MAX + 1, HOURS + 1, HOURS + 5, HOURS + 6]


async def posts_at(*moments):
    """The dates of posts at these moments of the clock, in microseconds after NOW, each in a transaction of its own."""
    now = iter(NOW + moment for moment in moments)
    transactions, dates = MemoryTransactions(clock=lambda: next(now)), []
    transactions.tables.authors[FORM["author_id"]] = Author.sign_up(FORM, NOW)
    for number, _ in enumerate(moments):
        async with transactions.begin([]) as work:
            author = await work.authors.of_id(FORM["author_id"])
            cheep = author.post(Identifier(str(number)), CheepText("Hello"), work.now)
            await work.cheeps.save(cheep)
            dates.append(cheep.cheep_date - NOW)
    return dates


@given(st.lists(st.integers(-3, 3).map(lambda hours: hours * HOURS // 3), max_size=30))
def test_no_clock_takes_a_later_post_further_ahead_than_its_bound(moments):
    """Whatever clocks posted before, a date is at most AHEAD_MAX ahead of its own clock, not before it, and unique."""
    moments = [moment + place for place, moment in enumerate(moments)]  # no two at the same microsecond
    dates = asyncio.run(posts_at(*moments))
    assert all(0 <= date - moment <= AHEAD_MAX + 1 for date, moment in zip(dates, moments, strict=True))
    assert len(set(dates)) == len(dates)


def test_a_profile_changes_in_the_fields_that_are_given():
    """Null clears a field, what is absent stays, and what is so already is no change."""
    author = Author.sign_up({**FORM, "name": "Bob", "bio": "Builder"}, NOW)
    assert author.change_profile({"bio": None, "location": "Nowhere"})
    assert (author.name, author.bio, author.location) == ("Bob", None, "Nowhere")
    assert not author.change_profile({})
    assert not author.change_profile({"bio": None, "name": "Bob"})


def test_another_spelling_of_the_address_is_another_address():
    """Only the very same one is no change."""
    author = Author.sign_up(FORM, NOW)
    changes = [author.change_email(Email(address)) for address in ("bob@bob.com", "BOB@bob.com", "BOB@bob.com")]
    assert (changes, author.email) == ([False, True, False], "BOB@bob.com")


def test_an_answer_is_a_cheep_that_names_its_parent():
    """It has its place among its author's dates; a deleted cheep gets no more answers."""
    author = Author.sign_up(FORM, NOW)
    parent = author.post(Identifier("1"), CheepText("Hello"), NOW)
    answer = author.answer(parent, Identifier("2"), CheepText("Hi"), NOW)
    assert (answer.in_reply_to, answer.cheep_date) == ("1", NOW + 1)
    parent.delete(author.author_id, NOW)
    with pytest.raises(CheepNotFound):
        author.answer(parent, Identifier("3"), CheepText("Hi"), NOW)
    assert author.last_cheep_date == NOW + 1
