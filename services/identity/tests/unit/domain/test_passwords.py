"""Passwords."""

import asyncio

import pytest

from cheeper_runtime.concurrency.limit import OverloadedError
from identity.domain.errors import InvalidError
from identity.domain.passwords import MAX_LENGTH, MEMORY_KIB, PASSES, Passwords, acceptable, comparable


@pytest.fixture
def passwords():
    return Passwords(at_once=2, memory_kib=8, passes=1)


@pytest.mark.parametrize(
    "password", ["short", "x" * (MAX_LENGTH + 1), "password1", "PASSWORD1", "aaaaaaaaaaaa", "ann@example.org"]
)
def test_bad_passwords_are_refused(password):
    """Short, common and obvious passwords are refused, and the refusal does not repeat them."""
    with pytest.raises(InvalidError) as caught:
        acceptable(password, "ann@example.org")
    assert password not in caught.value.reason


@pytest.mark.parametrize("password", ["lower case words only", "x y" * 20, "пароль из слов", "🐦" * 4 + "bird"])
def test_no_composition_is_asked_for(password):
    """Any characters make a password if there are enough."""
    assert acceptable(password)


async def test_a_password_matches_its_own_hash_alone(passwords):
    """Only the same password is right, in whichever form the keyboard composes it."""
    stored = await passwords.hash(acceptable("caf\u00e9 au lait"))
    assert await passwords.verify(stored, "cafe\u0301 au lait")
    assert not await passwords.verify(stored, "cafe au lait")


async def test_no_password_is_right_for_nobody(passwords):
    """An unknown account has no right password, and its comparison is work like every other."""
    assert not await passwords.verify(None, "a long enough one")


async def test_a_long_text_never_matches_its_beginning(passwords):
    """A text that is longer than any password is not cut to one that is right."""
    longest = "ab" * (MAX_LENGTH // 2)
    assert not await passwords.verify(await passwords.hash(longest), longest + "c")
    assert len(comparable(longest * 9)) == MAX_LENGTH + 1


async def test_more_work_than_there_are_places_is_refused():
    """Comparisons are bounded: what would wait for too long is refused before it begins."""
    passwords = Passwords(at_once=1, queue_seconds=0, memory_kib=8, passes=1)
    found = await asyncio.gather(*(passwords.verify(None, "x") for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(each, OverloadedError) for each in found) == 4


async def test_parameters_are_those_of_owasp():
    """The hash has the parameters of OWASP's first choice, and an older one is outdated."""
    stored = await Passwords(at_once=1).hash("a long enough one")
    assert stored.startswith(f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1$")
    assert (MEMORY_KIB, PASSES) == (19_456, 2)
    older = await Passwords(at_once=1, memory_kib=8, passes=1).hash("a long enough one")
    assert Passwords(at_once=1).is_outdated(older)
    assert not Passwords(at_once=1).is_outdated(stored)
