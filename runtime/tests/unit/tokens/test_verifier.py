import time
from functools import partial

import pytest

from cheeper_runtime.tokens.errors import InvalidTokenError, KeysUnavailableError
from cheeper_runtime.tokens.key_set import KeySet
from cheeper_runtime.tokens.keys import ALGORITHMS
from cheeper_runtime.tokens.signed import LEEWAY_SECONDS
from cheeper_runtime.tokens.testing import MemoryIssuer
from cheeper_runtime.tokens.verifier import Verifier

CALLER = "a64a52cc-3ee9-4a15-918b-099e18b43119"
BAD = sorted(MemoryIssuer().bad_tokens(CALLER))


@pytest.fixture(scope="module", params=ALGORITHMS)
def issuer(request):
    return MemoryIssuer(algorithm=request.param)


def verifier_of(issuer, **options):
    return Verifier([issuer.issuer], key_set=partial(KeySet, fetch_set=issuer.fetch), **options)


async def test_a_token_of_each_algorithm_is_accepted(issuer):
    """The caller is the claim's UUID in lower case, and the roles are those of the token."""
    claims = await verifier_of(issuer).verify(issuer.token(CALLER.upper(), roles=["operator", 7]))
    assert (claims.caller, claims.roles) == (CALLER, ("operator",))


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_token_is_refused(issuer, name):
    """Each of the known tricks is refused, and the error has nothing of the token in it."""
    token = issuer.bad_tokens(CALLER)[name]
    with pytest.raises(InvalidTokenError) as refused:
        await verifier_of(issuer).verify(token)
    assert token not in str(refused.value)


async def test_clocks_may_differ_by_the_leeway():
    """A token counts for 30 s longer, and from 30 s before, what it says."""
    issuer, now = MemoryIssuer(), int(time.time())
    verifier = verifier_of(issuer)
    for claims in ({"exp": now - LEEWAY_SECONDS + 15}, {"nbf": now + LEEWAY_SECONDS - 15}):
        assert (await verifier.verify(issuer.token(CALLER, **claims))).caller == CALLER


async def test_a_remembered_token_expires():
    """A token that was verified once is refused after its end, by the clock."""
    issuer, now = MemoryIssuer(), int(time.time())
    clock = [float(now)]
    verifier = verifier_of(issuer, clock=lambda: clock[0])
    token = issuer.token(CALLER, exp=now - 1)
    await verifier.verify(token)
    assert (await verifier.verify(token)).caller == CALLER
    clock[0] = now + LEEWAY_SECONDS
    verifier._issuers.clear()  # so that a second verification would fail
    with pytest.raises(InvalidTokenError):
        await verifier.verify(token)


async def test_a_remembered_token_lasts_no_longer_than_its_key():
    """Once the issuer withdraws a key, its tokens are refused, remembered or not."""
    issuer, clock = MemoryIssuer(), [0.0]
    keys = partial(KeySet, fetch_set=issuer.fetch, clock=lambda: clock[0])
    verifier = Verifier([issuer.issuer], key_set=keys)
    token = issuer.token(CALLER)
    await verifier.verify(token)
    issuer.rotate()
    clock[0] = 100
    assert (await verifier.verify(issuer.token(CALLER))).caller == CALLER
    with pytest.raises(InvalidTokenError, match="key"):
        await verifier.verify(token)


async def test_a_key_of_another_type_is_refused():
    """The algorithm is one of its key, so that no token chooses how its signature is checked."""
    rsa, elliptic = MemoryIssuer(algorithm="RS256"), MemoryIssuer(algorithm="ES256")
    token = elliptic.token(CALLER, headers={"kid": rsa.kid})
    with pytest.raises(InvalidTokenError, match="algorithm"):
        await verifier_of(rsa).verify(token)


async def test_the_cache_is_bounded():
    """However many tokens are verified, no more are remembered than the bound."""
    issuer = MemoryIssuer()
    verifier = verifier_of(issuer, cached=3)
    for number in range(10):
        await verifier.verify(issuer.token(CALLER, jti=str(number)))
    assert len(verifier._verified) == 3


async def test_without_keys_nothing_is_refused_for_good():
    """An issuer that was never reached makes its tokens unknown, not invalid; its return makes them valid."""
    issuer, clock = MemoryIssuer(), [0.0]
    issuer.available = False
    verifier = Verifier([issuer.issuer], key_set=partial(KeySet, fetch_set=issuer.fetch, clock=lambda: clock[0]))
    await verifier.fetch_keys()
    with pytest.raises(KeysUnavailableError):
        await verifier.verify(issuer.token(CALLER))
    issuer.available, clock[0] = True, 100
    assert (await verifier.verify(issuer.token(CALLER))).caller == CALLER


@pytest.mark.parametrize("token", ["", "a.b.c", "." * 9000, "e30.e30.e30", "eyJhbGciOiAiRWREU0EifQ.W10."])
async def test_what_is_no_token_is_refused(token):
    """Any text is refused as a sentence, and is no crash."""
    with pytest.raises(InvalidTokenError):
        await verifier_of(MemoryIssuer()).verify(token)
