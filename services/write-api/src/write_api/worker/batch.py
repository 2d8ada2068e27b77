"""One batch: its commands through the bus, its poison and what follows that in its keys into the dead letters.

Both are idempotent, by message id and by place, and Kafka's offsets move only after both. So a batch may be tried again
whole, whatever became of it before.
"""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from write_api.commands.errors import UnavailableError
from write_api.commands.outcome import Incoming, Outcome
from write_api.worker.received import BEHIND, CRASHED, Letter, Received, read

MOST_POISON_IN_A_ROW: Final = 20

log = structlog.get_logger()


class TooMuchPoisonError(Exception):
    """So many commands in a row could not be handled that the fault is hardly theirs."""


class Bus(Protocol):
    """What runs commands."""

    async def handle(self, batch: Sequence[Incoming]) -> list[Outcome]:
        """As `commands.bus.CommandBus` has it."""


class Letters(Protocol):
    """Where poison goes; `worker.letters.DeadLetters` says how."""

    async def parked_keys(self, keys: set[str]) -> set[str]:
        """Those of the keys that have parked messages."""

    async def handled(self, message_ids: set[str]) -> set[str]:
        """Those of the message ids whose commands have been handled."""

    async def park(self, letters: Sequence[Letter]) -> None:
        """Park the letters in this order."""


class Batches:
    """Handles batches, one at a time, and counts poison in a row across them."""

    def __init__(self, bus: Bus, letters: Letters, most_in_a_row: int = MOST_POISON_IN_A_ROW) -> None:
        self._bus = bus
        self._letters = letters
        self._most_in_a_row = most_in_a_row
        self._unreadable = 0
        self._crashed = 0

    async def handle(self, messages: Sequence[Received]) -> None:
        """Handle or park every message of the batch.

        Raises UnavailableError, after which the same batch is to be tried again, and TooMuchPoisonError.
        """
        found = [(message, read(message)) for message in messages]
        unreadable = self._count_unreadable([content for _, content in found])
        commands, letters = await self._divide(found)
        await self._run(commands)
        if letters:
            await self._park(letters)
        self._unreadable = unreadable

    async def _divide(
        self, found: Sequence[tuple[Received, Incoming | Letter]]
    ) -> tuple[list[tuple[Received, Incoming]], list[Letter]]:
        """What to run and what to park: poison, and all that comes after poison of its key."""
        parked = await self._letters.parked_keys({message.key for message, _ in found if message.key is not None})
        before = {
            content.envelope.message_id
            for message, content in found
            if message.key in parked and isinstance(content, Incoming)
        }
        # A command that comes again from before its key was parked is done, and no follower of the poison.
        done = await self._letters.handled(before) if before else set()
        commands: list[tuple[Received, Incoming]] = []
        letters: list[Letter] = []
        for message, content in found:
            if isinstance(content, Incoming) and (message.key not in parked or content.envelope.message_id in done):
                commands.append((message, content))
                continue
            behind = message.key in parked
            letters.append(Letter(message=message, reason=BEHIND) if behind else _poison(content))
            parked |= {message.key} if message.key is not None else set()
        return commands, letters

    async def _run(self, commands: Sequence[tuple[Received, Incoming]]) -> None:
        if not commands:
            return
        try:
            await self._bus.handle([incoming for _, incoming in commands])
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - a defect; each command alone tells whose
            log.warning("a batch crashed, its commands are tried one by one", error=_sentence(error))
            await self._run_alone(commands)
        else:
            self._crashed = 0

    async def _run_alone(self, commands: Sequence[tuple[Received, Incoming]]) -> None:
        parked: set[str] = set()
        for message, incoming in commands:
            key = incoming.command.key
            if key in parked:
                await self._park([Letter(message=message, reason=BEHIND)])
                continue
            try:
                await self._bus.handle([incoming])
                self._crashed = 0
            except UnavailableError:
                raise
            except Exception as error:  # noqa: BLE001 - any crash of a command alone is that command's
                letter = _crashed(message, error)
                self._refuse_too_many(self._crashed + 1, letter)
                await self._park([letter])
                self._crashed += 1
                parked.add(key)

    def _count_unreadable(self, contents: Sequence[Incoming | Letter]) -> int:
        in_a_row = self._unreadable
        for content in contents:
            in_a_row = in_a_row + 1 if isinstance(content, Letter) else 0
            if isinstance(content, Letter):
                self._refuse_too_many(in_a_row, content)
        return in_a_row

    def _refuse_too_many(self, in_a_row: int, last: Letter) -> None:
        if in_a_row >= self._most_in_a_row:
            raise TooMuchPoisonError(
                f"{in_a_row} commands in a row cannot be handled, the last one: {last.reason}, {last.error}"
            )

    async def _park(self, letters: Sequence[Letter]) -> None:
        await self._letters.park(letters)
        for letter in letters:
            _log_parked(letter)


def _poison(content: Incoming | Letter) -> Letter:
    if isinstance(content, Letter):
        return content
    raise TypeError(f"{type(content).__name__} is no poison")


def _crashed(message: Received, error: Exception) -> Letter:
    stack = "".join(traceback.format_tb(error.__traceback__))
    digest = hashlib.sha256(f"{type(error).__qualname__}\n{stack}".encode()).hexdigest()[:16]
    log.error("a command crashed", exc_info=error, message_id=message.message_id(), stack_digest=digest)
    return Letter(message=message, reason=CRASHED, error=_sentence(error), stack_digest=digest)


def _sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _log_parked(letter: Letter) -> None:
    message = letter.message
    log.error(
        "command parked",
        reason=letter.reason,
        error=letter.error,
        message_id=message.message_id(),
        correlation_id=message.header("ce_correlationid"),
        type=message.header("ce_type"),
        key=message.key,
        partition=message.partition,
        offset=message.offset,
    )
