"""Replaying letters: read and run by the code as it is now, a key's in their order, up to what is still poison."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import msgspec

from write_api.bus.errors import UnavailableError
from write_api.bus.outcome import ReceivedCommand
from write_api.consumer.batch import Read
from write_api.consumer.message import Letter, crashed
from write_api.consumer.parked import ParkedLetter, ParkedLetters

RunAndForget = Callable[[ParkedLetter, Sequence[ReceivedCommand]], Awaitable[object]]
"""Runs the commands of a letter and removes it. Doing so again changes nothing. Raises as `batch.Run` does."""


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a letter: handled, or `still` poison."""

    parked: ParkedLetter
    still: Letter | None = None


class Replays(msgspec.Struct, frozen=True, kw_only=True):
    """The letters of one source topic, and how its messages are read and run."""

    letters: ParkedLetters
    read: Read
    run: RunAndForget

    async def of_key(self, key: str | None) -> AsyncIterator[Replayed]:
        """Replay the letters of a key one by one, those included that are parked meanwhile; the last one told of may be
        still poison, and stays with those behind it. Raises UnavailableError: it can be begun again.
        """
        while (parked := await self.letters.first_of(key)) is not None:
            still = await self._replay(parked)
            if still is not None:
                await self.letters.restate(parked, still)
                yield Replayed(parked=parked, still=still)
                return
            yield Replayed(parked=parked)

    async def _replay(self, parked: ParkedLetter) -> Letter | None:
        message = parked.letter.message
        content = self.read(message)
        if isinstance(content, Letter):
            return content
        try:
            await self.run(parked, content)
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - our own code crashes on it, still
            return crashed(message, error)
        return None
