"""The use cases of sessions."""

import asyncio

import jwt
import msgspec
import pytest

from cheeper_runtime.tokens.issuers import Issuer
from cheeper_runtime.tokens.key_set import KeySet
from cheeper_runtime.tokens.verifier import Verifier
from identity.domain.errors import WrongCredentialsError
from identity.domain.refresh import GRACE_SECONDS


async def test_the_services_accept_the_access_token(service):
    """The verifier of write-api and read-api finds the account's id and roles in it."""
    account_id, _ = await service.account()
    await service.accounts.set_roles("ann@example.org", ["operator"])
    tokens = await service.accounts.sign_in("ann@example.org", "a long enough one", "192.0.2.1")
    issuer = Issuer(issuer="https://cheeper.example.org", audience="cheeper", jwks="https://x")
    keys = msgspec.json.encode(service.keyring.key_set())
    verifier = Verifier([issuer], key_set=lambda each: KeySet(each, fetch_set=lambda _: keys))
    claims = await verifier.verify(tokens.access_token)
    assert (claims.caller, claims.roles) == (account_id, ("operator",))


async def test_an_access_token_is_short_and_its_own(service):
    """It expires after 15 minutes, and no two are equal."""
    _, tokens = await service.account()
    one = jwt.decode(tokens.access_token, options={"verify_signature": False})
    other = jwt.decode(
        (await service.sessions.refresh(tokens.refresh_token)).access_token, options={"verify_signature": False}
    )
    assert one["exp"] - one["iat"] == 900 == tokens.expires_in
    assert one["jti"] != other["jti"]


async def test_reuse_revokes_the_session_alone(service):
    """A late use of an old token ends its session, newest token too, and no other one."""
    _, other = await service.account()
    mine = await service.accounts.sign_in("ann@example.org", "a long enough one", "192.0.2.1")
    newest = await service.sessions.refresh(mine.refresh_token)
    service.now += GRACE_SECONDS + 1
    for token in (mine.refresh_token, newest.refresh_token):
        with pytest.raises(WrongCredentialsError):
            await service.sessions.refresh(token)
    assert await service.sessions.refresh(other.refresh_token)


async def test_refreshes_at_once_agree(service):
    """Many requests at once with one token get one next token, and the session stays."""
    _, tokens = await service.account()
    found = await asyncio.gather(*(service.sessions.refresh(tokens.refresh_token) for _ in range(5)))
    assert len({each.refresh_token for each in found}) == 1
    assert await service.sessions.refresh(found[0].refresh_token)


async def test_the_end_of_a_session(service):
    """A session that has ended is of no use, and to end it twice changes nothing."""
    _, tokens = await service.account()
    await service.sessions.end(tokens.refresh_token)
    await service.sessions.end(tokens.refresh_token)
    await service.sessions.end("nonsense")
    with pytest.raises(WrongCredentialsError):
        await service.sessions.refresh(tokens.refresh_token)


async def test_the_store_keeps_no_token(service):
    """A reader of the store can refresh no session."""
    _, tokens = await service.account()
    kept = repr(service.store.state)
    assert tokens.refresh_token.partition(".")[2] not in kept
