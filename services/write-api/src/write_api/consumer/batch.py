"""One batch: the commands of its messages run, its poison and what follows that in its keys into the dead letters.

Both are idempotent, by message id and by content, and Kafka's offsets move only after both. So a batch may be tried
again whole, whatever became of it before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec
import structlog

from cheeper_contracts.dead_letters import BEHIND
from write_api.bus.errors import UnavailableError
from write_api.bus.outcome import ReceivedCommand
from write_api.consumer.message import Letter, Received, crashed, sentence
from write_api.consumer.poison_limit import MOST_A_MINUTE, MOST_IN_A_ROW, PerMinute

Read = Callable[[Received], Sequence[ReceivedCommand] | Letter]
"""The commands that a message leads to, which may be none, or the letter to park it as."""

Run = Callable[[Sequence[ReceivedCommand]], Awaitable[object]]
"""Runs commands, or sends them to where they are run. Doing so again changes nothing. Raises UnavailableError; any
other exception is a defect or a command that nothing here can take.
"""

log = structlog.get_logger()


class TooMuchPoisonError(Exception):
    """So many messages in a row or a minute could not be handled that the fault is hardly theirs.

    The text is for anyone. `last_error` is the last one's, which may say what the message holds: for the log.
    """

    def __init__(self, text: str, last_error: str | None) -> None:
        super().__init__(text)
        self.last_error = last_error


class Letters(Protocol):
    """Where poison goes; `consumer.letters.DeadLetters` says how."""

    async def parked_keys(self, keys: set[str]) -> set[str]:
        """Those of the keys that have parked messages."""

    async def handled(self, message_ids: set[str]) -> set[str]:
        """Those of the message ids whose commands have been handled."""

    async def park(self, letters: Sequence[Letter]) -> None:
        """Park the letters in this order."""


class Found(msgspec.Struct, frozen=True):
    """A message that is to be run or parked, or that leads to nothing."""

    message: Received
    content: Sequence[ReceivedCommand] | Letter

    def message_ids(self) -> set[str]:
        """Of its commands."""
        return set() if isinstance(self.content, Letter) else {one.envelope.message_id for one in self.content}


class Batches:
    """Reads and handles batches, one at a time, and counts poison in a row and a minute across them. `count_parked`
    is told the reason of each letter.
    """

    def __init__(  # noqa: PLR0913 - what bootstrap hands it, and limits
        self,
        read: Read,
        run: Run,
        letters: Letters,
        *,
        most_in_a_row: int = MOST_IN_A_ROW,
        most_a_minute: int = MOST_A_MINUTE,
        count_parked: Callable[[str], None] = lambda _reason: None,
    ) -> None:
        self._read = read
        self._run = run
        self._letters = letters
        self._count_parked = count_parked
        self._most_in_a_row = most_in_a_row
        self._most_a_minute = most_a_minute
        self._last_minute = PerMinute(most_a_minute)
        self._unreadable = 0
        self._crashed = 0

    def read(self, messages: Sequence[Received]) -> list[Found]:
        """What the messages lead to; those that lead to nothing are passed over, and end a row of poison."""
        found = [Found(message, self._read(message)) for message in messages]
        for one in found:
            if one.content:
                log.info("message received", **one.message.told())
        return found

    async def handle(self, batch: Sequence[Found]) -> None:
        """Run or park every message of the batch.

        Raises UnavailableError, after which the same batch is to be tried again, and TooMuchPoisonError.
        """
        unreadable = self._count_unreadable(batch)
        good, letters = await self._divide([found for found in batch if found.content])
        await self._run_all(good)
        if letters:
            await self._park(letters)
        self._unreadable = unreadable
        self._last_minute.count(sum(isinstance(found.content, Letter) for found in batch))

    async def _divide(self, batch: Sequence[Found]) -> tuple[list[Found], list[Letter]]:
        """What to run and what to park: poison, and all that comes after poison of its key."""
        keys = {found.message.key for found in batch if found.message.key is not None}
        parked = await self._letters.parked_keys(keys) if keys else set()
        before = {one for found in batch if found.message.key in parked for one in found.message_ids()}
        # What comes again from before its key was parked is done, and no follower of the poison.
        done = await self._letters.handled(before) if before else set()
        good: list[Found] = []
        letters: list[Letter] = []
        for found in batch:
            message, content = found.message, found.content
            if not isinstance(content, Letter) and (message.key not in parked or found.message_ids() <= done):
                good.append(found)
                continue
            if message.key in parked or not isinstance(content, Letter):
                letters.append(Letter(message=message, reason=BEHIND))
            else:
                letters.append(content)
            parked |= {message.key} if message.key is not None else set()
        return good, letters

    async def _run_all(self, good: Sequence[Found]) -> None:
        if not good:
            return
        try:
            await self._run(_commands(good))
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - a defect; each message alone tells whose
            log.warning("a batch crashed, its messages are tried one by one", error=sentence(error))
            await self._run_alone(good)
        else:
            self._crashed = 0

    async def _run_alone(self, good: Sequence[Found]) -> None:
        parked: set[str | None] = set()
        for found in good:
            message = found.message
            if message.key in parked:
                await self._park([Letter(message=message, reason=BEHIND)])
                continue
            try:
                await self._run(_commands([found]))
                self._crashed = 0
            except UnavailableError:
                raise
            except Exception as error:
                log.exception("message crashed", **message.told())
                letter = crashed(message, error)
                self._refuse_too_many(self._crashed + 1, 1, letter)
                await self._park([letter])
                self._crashed += 1
                self._last_minute.count(1)
                parked.add(message.key)

    def _count_unreadable(self, batch: Sequence[Found]) -> int:
        in_a_row, in_all = self._unreadable, 0
        for found in batch:
            in_a_row = in_a_row + 1 if isinstance(found.content, Letter) else 0
            if isinstance(found.content, Letter):
                in_all += 1
                self._refuse_too_many(in_a_row, in_all, found.content)
        return in_a_row

    def _refuse_too_many(self, in_a_row: int, now: int, last: Letter) -> None:
        if in_a_row >= self._most_in_a_row:
            many = f"{in_a_row} messages in a row"
        elif self._last_minute.reached_by(now):
            many = f"{self._most_a_minute} messages within a minute"
        else:
            return
        raise TooMuchPoisonError(f"{many} cannot be handled, the last one: {last.reason}", last.error)

    async def _park(self, letters: Sequence[Letter]) -> None:
        await self._letters.park(letters)
        for letter in letters:
            self._count_parked(letter.reason)
            log.error(
                "message parked",
                reason=letter.reason,
                error=letter.error,
                stack_digest=letter.stack_digest,
                **letter.message.told(),
            )


def _commands(batch: Sequence[Found]) -> list[ReceivedCommand]:
    return [one for found in batch if not isinstance(found.content, Letter) for one in found.content]
