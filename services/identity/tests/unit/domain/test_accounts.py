"""The use cases of accounts."""

import pytest

from identity.domain.accounts import CODE_SECONDS
from identity.domain.errors import InvalidError, TooManyAttemptsError, WrongCredentialsError

CLIENT, OTHER = "192.0.2.1", "192.0.2.2"
EMAIL, PASSWORD = "ann@example.org", "a long enough one"


async def test_an_account_is_made_by_mail(service):
    """The code in the mail makes the account, whose password signs in, whatever the case of its address."""
    account_id, _ = await service.account()
    assert service.mailer.mails[0][0] == EMAIL
    tokens = await service.accounts.sign_in("Ann@Example.ORG", PASSWORD, CLIENT)
    assert tokens.refresh_token
    assert service.store.state.accounts[account_id].address == EMAIL


async def test_a_code_counts_once_for_its_address_and_not_for_ever(service):
    """A code that was used, is another address's, or is old, changes nothing."""
    await service.accounts.send_code(EMAIL, CLIENT)
    code = service.mailer.code()
    for email, wrong in (("eve@example.org", code), (EMAIL, "x")):
        with pytest.raises(WrongCredentialsError):
            await service.accounts.set_password(email, wrong, PASSWORD)
    await service.accounts.set_password(EMAIL, code, PASSWORD)
    with pytest.raises(WrongCredentialsError):
        await service.accounts.set_password(EMAIL, code, "another password")
    await service.accounts.send_code(EMAIL, CLIENT)
    service.now += CODE_SECONDS + 1
    with pytest.raises(WrongCredentialsError):
        await service.accounts.set_password(EMAIL, service.mailer.code(), "another password")


async def test_a_forgotten_password_is_set_by_mail(service):
    """A second code keeps the account's id and ends its sessions."""
    account_id, tokens = await service.account()
    same_id, _ = await service.account(password="another password")
    assert same_id == account_id
    with pytest.raises(WrongCredentialsError):
        await service.sessions.refresh(tokens.refresh_token)
    with pytest.raises(WrongCredentialsError):
        await service.accounts.sign_in(EMAIL, PASSWORD, CLIENT)


async def test_a_request_for_a_code_shows_nothing(service):
    """A known address and an unknown one get the same mail but for the code, and the same response."""
    await service.account()
    assert await service.accounts.send_code(EMAIL, CLIENT) is None
    known = service.mailer.mails[-1][1].replace(service.mailer.code(), "")
    assert await service.accounts.send_code("nobody@example.org", CLIENT) is None
    assert service.mailer.mails[-1][1].replace(service.mailer.code(), "") == known


async def test_mails_to_one_address_are_limited(service):
    """Nobody's mailbox is filled: the fourth mail within some minutes is refused, and not sent."""
    for client in "abc":
        await service.accounts.send_code(EMAIL, client)
    with pytest.raises(TooManyAttemptsError):
        await service.accounts.send_code(EMAIL, "d")
    assert len(service.mailer.mails) == 3


async def test_a_change_of_password_ends_all_other_sessions(service):
    """Only the new session and the new password count."""
    account_id, before = await service.account()
    same_id, after = await service.accounts.change_password(EMAIL, PASSWORD, "another password", CLIENT)
    assert same_id == account_id
    with pytest.raises(WrongCredentialsError):
        await service.sessions.refresh(before.refresh_token)
    assert await service.sessions.refresh(after.refresh_token)
    with pytest.raises(WrongCredentialsError):
        await service.accounts.change_password(EMAIL, PASSWORD, "a third password", CLIENT)


async def _guess(service, client, times, email=EMAIL):
    refused = 0
    for _ in range(times):
        try:
            await service.accounts.sign_in(email, "a wrong password", client)
        except WrongCredentialsError:
            continue
        except TooManyAttemptsError:
            refused += 1
    return refused


async def test_wrong_passwords_are_limited_by_account_and_client(service):
    """The sixth wrong password of a client is refused before it is compared, and the right one too."""
    await service.account()
    assert await _guess(service, OTHER, 6) == 1
    with pytest.raises(TooManyAttemptsError) as caught:
        await service.accounts.sign_in(EMAIL, PASSWORD, OTHER)
    service.now += caught.value.seconds
    assert await service.accounts.sign_in(EMAIL, PASSWORD, OTHER)


async def test_nobody_is_locked_out(service):
    """However many clients guess, the owner signs in from another one, after a delay."""
    await service.account()
    for number in range(40):
        await _guess(service, f"198.51.100.{number}", 5)
    assert await service.accounts.sign_in(EMAIL, PASSWORD, CLIENT)
    assert 0 < service.slept[-1] <= 4


async def test_an_unknown_address_is_like_a_known_one(service):
    """Responses, limits and delays of an unknown address are those of a known one."""
    await service.account()
    seen = []
    for email, client in ((EMAIL, "198.51.100.1"), ("nobody@example.org", "198.51.100.2")):
        service.slept.clear()
        seen.append((await _guess(service, client, 7, email), list(service.slept)))
    assert seen[0] == seen[1]


async def test_one_client_may_not_guess_for_many_accounts(service):
    """A client that tries one password for many addresses is refused after 30."""
    refused = [await _guess(service, OTHER, 1, f"somebody{number}@example.org") for number in range(35)]
    assert refused == [0] * 30 + [1] * 5


async def test_right_passwords_use_nothing_up(service):
    """A right password may be used any number of times."""
    await service.account()
    for _ in range(50):
        await service.accounts.sign_in(EMAIL, PASSWORD, CLIENT)
    assert set(service.slept) == {0.0}


async def test_only_known_roles_and_accounts_are_taken(service):
    """A role that nothing reads, or an account that is not there, is a mistake."""
    await service.account()
    for email, roles in ((EMAIL, ["admin"]), ("nobody@example.org", ["operator"])):
        with pytest.raises(InvalidError):
            await service.accounts.set_roles(email, roles)


async def test_roles_are_of_an_address_or_an_id(service):
    """An account of a provider has no address, and its id names it as well."""
    account_id, _ = await service.account()
    for who in (account_id, EMAIL):
        assert await service.accounts.set_roles(who, ["operator"]) == account_id
    with pytest.raises(InvalidError):
        await service.accounts.set_roles("a64a52cc-3ee9-4a15-918b-099e18b43119", ["operator"])


async def test_an_outdated_hash_is_renewed_at_sign_in(service):
    """A hash with older parameters is replaced once the password is known, and the password stays right."""
    account_id, _ = await service.account()
    before = service.store.state.accounts[account_id].password
    service.passwords.__init__(at_once=2, memory_kib=16, passes=1)
    await service.accounts.sign_in(EMAIL, PASSWORD, CLIENT)
    renewed = service.store.state.accounts[account_id].password
    assert "m=16," in renewed != before
    assert await service.accounts.sign_in(EMAIL, PASSWORD, CLIENT)
