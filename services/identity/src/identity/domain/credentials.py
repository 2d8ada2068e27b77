"""The comparison of passwords under the limits of attempts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from cheeper_runtime.concurrency.limit import OverloadedError
from identity.domain.errors import TooManyAttemptsError, WrongCredentialsError
from identity.domain.limits import Bucket, account_bucket, delay, sign_in_buckets
from identity.domain.passwords import Passwords
from identity.domain.store import Account, Store, Transaction


class Credentials:
    """Compares passwords. `sleep` waits for some seconds while many wrong ones arrive for an account."""

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._clock = clock
        self._sleep = sleep

    async def verify(self, address: str, password: str, client: str) -> Account:
        """Return the account of an address if the password is its own. An unknown address takes the same work.

        Raise WrongCredentialsError, TooManyAttemptsError or OverloadedError.
        """
        now = self._clock()
        buckets = (*sign_in_buckets(address, client), account_bucket(address))
        async with self._store.begin() as transaction:
            level = await self.count(transaction, buckets, now)
            account = await transaction.account(address)
        await self._sleep(delay(level))
        try:
            matches = await self._passwords.verify(account.password if account else None, password)
        except OverloadedError:
            await self._give_back(buckets)
            raise
        if not matches or account is None:
            raise WrongCredentialsError
        await self._give_back(buckets)
        return account

    async def count(self, transaction: Transaction, buckets: Sequence[Bucket], now: float) -> float:
        """Count an attempt in all buckets, and return the level of the last one before it. Raise TooManyAttemptsError
        if it does not fit into one of them; none has counted it then, once the transaction is undone.
        """
        levels = {bucket: await transaction.take(bucket, now) for bucket in _in_order(buckets)}
        wait = max(bucket.wait(level) for bucket, level in levels.items())
        if wait:
            raise TooManyAttemptsError(wait)
        return levels[buckets[-1]]

    async def _give_back(self, buckets: Sequence[Bucket]) -> None:
        async with self._store.begin() as transaction:
            for bucket in _in_order(buckets):
                await transaction.give_back(bucket, self._clock())


def _in_order(buckets: Sequence[Bucket]) -> list[Bucket]:
    """Return the buckets in an order in which two transactions cannot wait for each other."""
    return sorted(buckets, key=lambda bucket: bucket.key)
