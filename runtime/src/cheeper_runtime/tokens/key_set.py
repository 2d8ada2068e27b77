"""The cached public keys of one issuer (JWKS).

They are refreshed in the background, fetched for an unknown key id, and kept while the issuer is unavailable.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from cheeper_runtime.tokens.errors import InvalidTokenError, KeysUnavailableError
from cheeper_runtime.tokens.fetch import FETCH_SECONDS, fetch
from cheeper_runtime.tokens.issuers import Issuer
from cheeper_runtime.tokens.keys import Key, keys_of

REFRESH_SECONDS: Final = 300.0
"""The time after which keys are fetched anew, so that one that is withdrawn is soon of no use."""
FETCH_INTERVAL_SECONDS: Final = 10.0
"""The least time between two fetches, however many unknown keys tokens name."""

Fetch = Callable[[Issuer], bytes]

log = structlog.get_logger()


class KeySet:
    """The keys of one issuer by their ids. `fetch` returns the key set and raises OSError; it runs in a thread.
    `clock` is monotonic, in seconds.
    """

    def __init__(
        self, issuer: Issuer, *, fetch_set: Fetch = fetch, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer = issuer
        self._fetch_set = fetch_set
        self._clock = clock
        self._keys: Mapping[str | None, Key] | None = None
        self._began: float | None = None
        self._fetching: asyncio.Task[None] | None = None

    async def key(self, kid: str | None) -> Key:
        """Return the key of this id, or the only key if a token names none.

        An unknown id leads to a fetch, for which this waits, at most 3 s; but within the interval after the last one it
        is refused at once. Raise InvalidTokenError, or KeysUnavailableError if no fetch has ever succeeded.
        """
        found = self.known(kid)
        if found is None:
            await self.refresh()
            found = self.known(kid)
        if self._keys is None:
            raise KeysUnavailableError(f"no key of {self._issuer.issuer} is known yet")
        if found is None:
            raise InvalidTokenError("The token is signed with a key that its issuer does not have")
        return found

    def known(self, kid: str | None) -> Key | None:
        """Return the key without a fetch, or None. Begin a fetch in the background if the keys are old."""
        if self._began is not None and self._clock() - self._began >= REFRESH_SECONDS:
            self._begin()
        keys = self._keys or {}
        if kid is None and len(keys) == 1:
            return next(iter(keys.values()))
        return keys.get(kid)

    async def refresh(self) -> None:
        """Wait for a fetch, which begins now unless one began within the interval. A failure keeps the keys."""
        if self._fetching is None and (self._began is None or self._clock() - self._began >= FETCH_INTERVAL_SECONDS):
            self._begin()
        if self._fetching is not None:
            await asyncio.shield(self._fetching)

    def _begin(self) -> None:
        if self._fetching is None:
            self._began = self._clock()
            self._fetching = asyncio.create_task(self._fetch(), name="key set")

    async def _fetch(self) -> None:
        try:
            text = await asyncio.wait_for(asyncio.to_thread(self._fetch_set, self._issuer), FETCH_SECONDS)
            self._keys = keys_of(text)
        except (OSError, ValueError, TimeoutError) as error:
            log.warning("keys not fetched", issuer=self._issuer.issuer, error=f"{type(error).__name__}: {error}"[:200])
        finally:
            self._fetching = None
