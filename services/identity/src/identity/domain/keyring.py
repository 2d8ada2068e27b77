"""The keyring: this process's copy of the signing keys, which it reads anew and rotates with the other processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from identity.domain import signing_keys
from identity.domain.signing_keys import REREAD_SECONDS, SigningKey
from identity.domain.store import Store

log = structlog.get_logger()


class Keyring:
    """The signing keys of a store. All processes have the same ones, and change to the next one at the same time."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._keys: Sequence[SigningKey] = ()

    async def update(self, *, rotate: bool = False) -> None:
        """Read the keys, after the change that they need now, if any. With `rotate`, prepare the next one."""
        keys, now = await self._store.keys(), int(self._clock())
        needed = signing_keys.plan(keys, now, rotate=rotate)
        if needed.add is not None or needed.withdraw:
            async with self._store.begin() as transaction:
                needed = signing_keys.plan(await transaction.lock_keys(), now, rotate=rotate)
                for kid in needed.withdraw:
                    await transaction.withdraw_key(kid)
                if needed.add is not None:
                    await transaction.add_key(needed.add)
            keys = await self._store.keys()
        self._keys = keys

    async def keep_updated(self) -> None:
        """Update the keys and delete what has expired, for ever.

        While the store is unavailable, the known keys stay.
        """
        while True:
            try:
                await self.update()
                async with self._store.begin() as transaction:
                    await transaction.expire(int(self._clock()))
            except Exception as error:  # noqa: BLE001 - whatever failed is tried again, and the known keys still sign
                log.warning("signing keys not updated", reason=type(error).__name__)
            await asyncio.sleep(REREAD_SECONDS if self._keys else 1)

    @property
    def has_keys(self) -> bool:
        """Return True once tokens can be signed."""
        return bool(self._keys)

    def sign(self, claims: dict[str, Any]) -> str:
        """Return a token with these claims. Raise LookupError if no key is known."""
        return signing_keys.sign(signing_keys.signer(self._keys, int(self._clock())), claims)

    def key_set(self) -> dict[str, Any]:
        """Return the JSON Web Key Set to publish."""
        return signing_keys.key_set(self._keys)
