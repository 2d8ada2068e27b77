"""The use cases of accounts: a code by mail, a password by that code, a change of password, and roles."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol
from uuid import UUID, uuid4

from identity.domain.addresses import Address, address_of
from identity.domain.credentials import Credentials
from identity.domain.errors import InvalidError, WrongCredentialsError
from identity.domain.limits import mail_buckets
from identity.domain.passwords import Passwords, acceptable, comparable
from identity.domain.sessions import Sessions, Tokens
from identity.domain.store import Store

CODE_SECONDS: Final = 1800
ROLES: Final = ("operator",)
_WRONG_CODE: Final = "The code is wrong, was used, or is older than 30 minutes"


class Mailer(Protocol):
    """Sends mails."""

    async def send(self, address: str, subject: str, text: str) -> None:
        """Send a mail. Raise OSError if it cannot be handed over."""


class Accounts:
    """The accounts of a store.

    Who wants an account, or has forgotten a password, gets the same mail with the same kind of code, so no response
    and no time reveals whether an address has an account, and nobody has an account for an address that is not theirs.
    """

    def __init__(  # noqa: PLR0913 - bootstrap passes each of them
        self,
        *,
        store: Store,
        passwords: Passwords,
        credentials: Credentials,
        sessions: Sessions,
        mailer: Mailer,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._credentials = credentials
        self._sessions = sessions
        self._mailer = mailer
        self._clock = clock

    async def send_code(self, email: str, client: str) -> None:
        """Send a code to an address. Raise InvalidError, TooManyAttemptsError, or OSError if no mail can be sent."""
        address = address_of(email)
        code, now = secrets.token_urlsafe(24), self._clock()
        async with self._store.begin() as transaction:
            await self._credentials.count(transaction, mail_buckets(address.unique, client), now)
            await transaction.add_code(_hash(code), address.unique, int(now) + CODE_SECONDS)
        await self._mailer.send(address.written, "Your code for Cheeper", _text(code))

    async def set_password(self, email: str, code: str, new_password: str) -> tuple[str, Tokens]:
        """Set the password of an address by the code that was sent there. Return the account's id and a new session;
        all other sessions end. Raise InvalidError, WrongCredentialsError or OverloadedError.
        """
        address = address_of(email)
        new, now = acceptable(new_password, address.unique), int(self._clock())
        async with self._store.begin() as transaction:  # a hash costs too much to be had without a code
            if not await transaction.code_is_valid(_hash(code), address.unique, now):
                raise WrongCredentialsError(_WRONG_CODE)
        stored = await self._passwords.hash(new)
        async with self._store.begin() as transaction:
            if not await transaction.take_code(_hash(code), address.unique, now):
                raise WrongCredentialsError(_WRONG_CODE)
            account_id = await transaction.set_password(str(uuid4()), address.unique, stored)
            await transaction.revoke_sessions_of(account_id)
            tokens = await self._sessions.begin(transaction, account_id)
        return account_id, tokens

    async def change_password(self, email: str, password: str, new_password: str, client: str) -> tuple[str, Tokens]:
        """Change the password of somebody who knows it. Return and raise as `set_password` does, and
        TooManyAttemptsError.
        """
        address = _known(email)
        new = acceptable(new_password, address.unique)
        account = await self._credentials.verify(address.unique, password, client)
        stored = await self._passwords.hash(new)
        async with self._store.begin() as transaction:
            current = await transaction.account(address.unique)
            if current is None or current.password != account.password:  # it was changed meanwhile
                raise WrongCredentialsError
            await transaction.set_password(account.account_id, address.unique, stored)
            await transaction.revoke_sessions_of(account.account_id)
            tokens = await self._sessions.begin(transaction, account.account_id)
        return account.account_id, tokens

    async def sign_in(self, email: str, password: str, client: str) -> Tokens:
        """Begin a session. Raise WrongCredentialsError, TooManyAttemptsError or OverloadedError."""
        address = _known(email)
        account = await self._credentials.verify(address.unique, password, client)
        renewed = (
            await self._passwords.hash(comparable(password)) if self._passwords.is_outdated(account.password) else None
        )
        async with self._store.begin() as transaction:
            current = await transaction.account(address.unique)
            if current is None or current.password != account.password:
                raise WrongCredentialsError
            if renewed is not None:
                await transaction.set_password(account.account_id, address.unique, renewed)
            return await self._sessions.begin(transaction, account.account_id)

    async def set_roles(self, who: str, roles: Sequence[str]) -> str:
        """Set the roles of an account, known by its address or its id, for the operator's command line. Return its id.
        Raise InvalidError.

        A token that was signed before has the roles of before, for 15 minutes at most.
        """
        unknown = sorted(set(roles) - set(ROLES))
        if unknown:
            raise InvalidError("roles", f"must be among {', '.join(ROLES)}")
        async with self._store.begin() as transaction:
            if _is_id(who):
                account = await transaction.account_by_id(who)
            else:
                account = await transaction.account(address_of(who).unique)
            if account is None:
                raise InvalidError("account", "does not exist")
            await transaction.set_roles(account.account_id, sorted(set(roles)))
        return account.account_id


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _known(email: str) -> Address:
    """Return the address of somebody who signs in. What is no address is refused as a wrong one is."""
    try:
        return address_of(email)
    except InvalidError:
        raise WrongCredentialsError from None


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode(errors="surrogatepass")).digest()


def _text(code: str) -> str:
    return (
        "Somebody, probably you, wants to make an account at Cheeper with\n"
        "this address, or to set its password.\n\n"
        f"The code is {code}\n\n"
        "It is valid for 30 minutes. If it was not you, you need not do\n"
        "anything: without the code nothing changes.\n"
    )
