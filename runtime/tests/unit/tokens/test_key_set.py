import asyncio

import pytest

from cheeper_runtime.tokens.errors import InvalidTokenError
from cheeper_runtime.tokens.key_set import FETCH_INTERVAL_SECONDS, REFRESH_SECONDS, KeySet
from cheeper_runtime.tokens.testing import MemoryIssuer


@pytest.fixture
def issuer():
    return MemoryIssuer()


@pytest.fixture
def clock():
    return [0.0]


@pytest.fixture
def keys(issuer, clock):
    return KeySet(issuer.issuer, fetch_set=issuer.fetch, clock=lambda: clock[0])


async def test_unknown_keys_lead_to_one_fetch_in_an_interval(issuer, keys, clock):
    """A flood of tokens with invented keys does not become a flood on the issuer."""
    for at in (0, FETCH_INTERVAL_SECONDS - 1, FETCH_INTERVAL_SECONDS):
        clock[0] = at
        found = await asyncio.gather(*(keys.key(f"unknown-{n}") for n in range(50)), return_exceptions=True)
        assert all(isinstance(error, InvalidTokenError) for error in found)
    assert issuer.fetches == 2


async def test_a_new_key_is_found_without_a_restart(issuer, keys, clock):
    """A token that is signed with a key from after the last fetch waits for one fetch."""
    await keys.key(issuer.kid)
    clock[0], kid = FETCH_INTERVAL_SECONDS, issuer.rotate(keep=True)
    assert (await keys.key(kid)).algorithms == ("EdDSA",)


async def test_an_unavailable_issuer_leaves_tokens_of_known_keys_valid(issuer, keys, clock):
    """A failed fetch keeps the keys, and a known key waits for none."""
    known = await keys.key(issuer.kid)
    issuer.available, clock[0] = False, 2 * REFRESH_SECONDS
    assert await keys.key(issuer.kid) == known
    with pytest.raises(InvalidTokenError):
        await keys.key("unknown")
    assert await keys.key(issuer.kid) == known


async def test_old_keys_are_fetched_anew(issuer, keys, clock):
    """A withdrawn key is refused after a while, without anybody asking for an unknown one."""
    old = issuer.kid
    await keys.key(old)
    issuer.rotate()
    clock[0] = REFRESH_SECONDS
    assert keys.known(old) is not None  # this request does not wait
    await keys.refresh()
    assert keys.known(old) is None


async def test_a_token_without_a_key_id_takes_the_only_key(issuer, keys):
    """An issuer with one key may leave the id out; with two, nobody guesses."""
    assert await keys.key(None) == await keys.key(issuer.kid)


async def test_a_broken_key_set_keeps_the_keys(issuer, clock):
    """A page of an error in place of the keys is as if the issuer was unavailable."""
    text = [issuer.key_set()]
    keys = KeySet(issuer.issuer, fetch_set=lambda _: text[0], clock=lambda: clock[0])
    known = await keys.key(issuer.kid)
    for broken in (b"<html>", b'{"keys": 7}', b"[]", b"\xff"):
        text[0], clock[0] = broken, clock[0] + FETCH_INTERVAL_SECONDS
        await keys.refresh()
        assert keys.known(issuer.kid) == known
