from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from cheeper_runtime.tokens.issuers import Issuer
from cheeper_runtime.tokens.key_set import KeySet
from cheeper_runtime.tokens.verifier import Verifier
from identity.domain.errors import InvalidError, TooManyAttemptsError, WrongCredentialsError
from identity.external.attempts import ATTEMPT_SECONDS
from identity.external.sign_in import ProviderUnavailableError, Returned

pytestmark = pytest.mark.proves(guarantee="identity")

CLIENT, OTHER_CLIENT = "192.0.2.1", "192.0.2.2"


async def returned(service, client=CLIENT):
    """Return the parameters with which a browser comes back once its user has signed in at the provider."""
    begun = await service.external.begin("example", client)
    query = parse_qs(urlsplit(service.provider.authorize(begun.url)).query)
    return Returned(secret=begun.secret, state=query["state"][0], code=query["code"][0], iss=query["iss"][0])


async def account_of(service, tokens):
    """The id of the account that tokens are of, as a verifier reads them."""
    issuer = Issuer(issuer="https://cheeper.example.org", audience="cheeper", jwks="unused")
    key_set = msgspec.json.encode(service.keyring.key_set())
    verifier = Verifier([issuer], key_set=lambda one: KeySet(one, fetch_set=lambda _: key_set))
    return (await verifier.verify(tokens.access_token)).caller


async def sign_in(service):
    return await account_of(service, await service.external.complete(await returned(service)))


async def test_a_subject_has_one_account(service):
    """The first sign-in makes the account, later ones find it, and another subject has another one."""
    alice = await sign_in(service)
    service.provider.subject = "bob"
    bob = await sign_in(service)
    service.provider.subject = "alice"
    assert await sign_in(service) == alice != bob
    assert len(service.store.state.accounts) == 2


async def test_an_address_of_a_provider_finds_no_account(service):
    """A provider that claims an address, verified or not, leads to no account that has it."""
    owner, _ = await service.account("ann@example.org")
    service.provider.id_claims = {"email": "ann@example.org", "email_verified": True}
    assert await sign_in(service) != owner
    account = next(each for each in service.store.state.accounts.values() if each.account_id != owner)
    assert (account.address, account.password) == (None, None)


async def test_the_session_is_one_like_any_other(service):
    """Its refresh token rotates, and ends it at its second use."""
    tokens = await service.external.complete(await returned(service))
    again = await service.sessions.refresh(tokens.refresh_token)
    assert again.refresh_token != tokens.refresh_token
    service.now += 60
    with pytest.raises(WrongCredentialsError):
        await service.sessions.refresh(tokens.refresh_token)
    with pytest.raises(WrongCredentialsError):
        await service.sessions.refresh(again.refresh_token)


async def test_an_attempt_is_completed_once(service):
    """A repetition of all that a browser sent begins no second session."""
    used = await returned(service)
    await service.external.complete(used)
    with pytest.raises(WrongCredentialsError):
        await service.external.complete(used)


async def test_a_code_is_of_use_to_who_began_the_attempt_alone(service):
    """A code and a state that leaked out of a URL begin no session without the secret of their attempt."""
    victims, attackers = await returned(service), await service.external.begin("example", OTHER_CLIENT)
    for secret, state in (
        (attackers.secret, victims.state),
        (attackers.secret, attackers.state),
        (victims.state, victims.state),
        ("", ""),
    ):
        stolen = Returned(secret=secret, state=state, code=victims.code, iss=victims.iss)
        with pytest.raises(WrongCredentialsError):
            await service.external.complete(stolen)


async def test_an_attempt_ends(service):
    """A browser that comes back after 10 minutes begins no session, and the store forgets the attempt."""
    late = await returned(service)
    service.now += ATTEMPT_SECONDS + 1
    with pytest.raises(WrongCredentialsError):
        await service.external.complete(late)
    await returned(service)
    service.now += ATTEMPT_SECONDS + 1
    async with service.store.begin() as transaction:
        await transaction.expire(int(service.now))
    assert service.store.state.attempts == {}


async def test_an_unknown_provider_is_refused(service):
    """Only configured providers are signed in by."""
    with pytest.raises(InvalidError):
        await service.external.begin("https://evil.example.org", CLIENT)


async def test_a_client_begins_a_bounded_number_of_attempts(service):
    """One client fills neither the store nor the provider with attempts, and another client is served."""
    for _ in range(30):
        await service.external.begin("example", CLIENT)
    with pytest.raises(TooManyAttemptsError):
        await service.external.begin("example", CLIENT)
    assert len(service.store.state.attempts) == 30
    assert await service.external.begin("example", OTHER_CLIENT)


async def test_an_unavailable_provider_harms_this_sign_in_alone(service):
    """Without the provider nobody signs in by it; passwords, sessions and later attempts by it go on."""
    await service.account("ann@example.org", "a long enough one")
    begun = await returned(service)
    service.provider.available = False
    with pytest.raises(ProviderUnavailableError):
        await service.external.complete(begun)
    tokens = await service.accounts.sign_in("ann@example.org", "a long enough one", CLIENT)
    assert await service.sessions.refresh(tokens.refresh_token)
    service.provider.available = True
    assert await sign_in(service)


async def test_the_store_keeps_nothing_of_use(service):
    """Neither the secret of an attempt nor any value of its URLs is in the store."""
    begun = await service.external.begin("example", CLIENT)
    sent = [value for values in parse_qs(urlsplit(begun.url).query).values() for value in values]
    kept = repr(service.store.state.attempts)
    assert not [value for value in (begun.secret, *sent) if value in kept]
