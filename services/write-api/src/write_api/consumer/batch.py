"""The handling of one batch: its commands run, and its poison is parked together with later messages of the same keys.

Commands are idempotent by message id, dead letters by content, and Kafka's offsets are committed only after both. So a
batch may be handled again as a whole, whatever happened before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

import structlog

from cheeper_contracts.kafka.dead_letters import BEHIND
from cheeper_runtime.dead_letters.poison_limit import PoisonLimit, TooMuchPoisonError
from write_api.bus.errors import UnavailableError
from write_api.bus.outcome import ReceivedCommand
from write_api.bus.unit_of_work import Checkpoint
from write_api.consumer.message import ConsumedMessage, DeadLetter, DecodedMessage, crashed, sentence

Decode = Callable[[ConsumedMessage], Sequence[ReceivedCommand] | DeadLetter]
"""Returns the commands that follow from a message, which may be none, or the dead letter that it becomes."""

Run = Callable[[Sequence[ReceivedCommand], Sequence[Checkpoint]], Awaitable[object]]
"""Runs commands, or sends them to the worker, idempotently, and moves the checkpoints in the same transaction. Raises
UnavailableError; any other exception is a defect, or a command that no part of this service accepts.
"""

log = structlog.get_logger()


class DeadLetterStore(Protocol):
    """The store of dead letters. Every method raises UnavailableError."""

    async def parked_keys(self, keys: set[str]) -> set[str]:
        """Return the keys that have parked messages."""

    async def handled(self, message_ids: set[str]) -> set[str]:
        """Return the message ids whose commands have been handled."""

    async def park(self, letters: Sequence[DeadLetter]) -> None:
        """Park the dead letters in this order."""


class BatchHandler:
    """Decodes and handles one batch at a time. `count_parked` gets the reason of each dead letter."""

    def __init__(
        self,
        decode: Decode,
        run: Run,
        dead_letters: DeadLetterStore,
        *,
        limit: PoisonLimit | None = None,
        count_parked: Callable[[str], None] = lambda _reason: None,
    ) -> None:
        self._decode = decode
        self._run = run
        self._dead_letters = dead_letters
        self._limit = limit or PoisonLimit()
        self._count_parked = count_parked
        self._unreadable_in_a_row = 0
        self._crashed_in_a_row = 0

    def decode(self, messages: Sequence[ConsumedMessage]) -> list[DecodedMessage]:
        """Return the messages with what follows from each. One from which nothing follows is skipped later."""
        batch = [DecodedMessage(message, self._decode(message)) for message in messages]
        for decoded in batch:
            if decoded.content:
                log.debug("message received", **decoded.message.log_fields())
        return batch

    async def handle(self, batch: Sequence[DecodedMessage], checkpoints: Sequence[Checkpoint] = ()) -> None:
        """Run or park every message of the batch, and move the checkpoints behind it.

        They move with the commands, or afterwards if not all messages ran together. Raise UnavailableError, after which
        the same batch is to be handled again, or TooMuchPoisonError.
        """
        unreadable_in_a_row = self._check_unreadable(batch)
        good, letters = await self._divide([decoded for decoded in batch if decoded.content])
        moved = await self._run_all(good, () if letters else checkpoints)
        if letters:
            await self._park(letters)
        if checkpoints and not moved:
            await self._run((), checkpoints)
        self._unreadable_in_a_row = unreadable_in_a_row
        self._limit.count(sum(isinstance(decoded.content, DeadLetter) for decoded in batch))

    async def _divide(self, batch: Sequence[DecodedMessage]) -> tuple[list[DecodedMessage], list[DeadLetter]]:
        """Return the messages to run, and those to park: poison and everything behind poison of the same key."""
        keys = {decoded.message.key for decoded in batch if decoded.message.key is not None}
        parked = await self._dead_letters.parked_keys(keys) if keys else set()
        waiting = {one for decoded in batch if decoded.message.key in parked for one in decoded.message_ids()}
        # A redelivered message that was handled before its key was parked is not behind the poison.
        handled = await self._dead_letters.handled(waiting) if waiting else set()
        good: list[DecodedMessage] = []
        letters: list[DeadLetter] = []
        for decoded in batch:
            message, content = decoded.message, decoded.content
            if not isinstance(content, DeadLetter) and (message.key not in parked or decoded.message_ids() <= handled):
                good.append(decoded)
                continue
            if message.key in parked or not isinstance(content, DeadLetter):
                letters.append(DeadLetter(message=message, reason=BEHIND))
            else:
                letters.append(content)
            parked |= {message.key} if message.key is not None else set()
        return good, letters

    async def _run_all(self, good: Sequence[DecodedMessage], checkpoints: Sequence[Checkpoint]) -> bool:
        """Run the messages. Return True if they ran together, and the checkpoints moved with them."""
        if not good:
            return False
        try:
            await self._run(_commands(good), checkpoints)
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - a defect, which the messages are run one by one to locate
            log.warning("batch crashed: running its messages one by one", error=sentence(error))
            await self._run_one_by_one(good)
            return False
        self._crashed_in_a_row = 0
        return bool(checkpoints)

    async def _run_one_by_one(self, good: Sequence[DecodedMessage]) -> None:
        parked: set[str | None] = set()
        for decoded in good:
            message = decoded.message
            if message.key in parked:
                await self._park([DeadLetter(message=message, reason=BEHIND)])
                continue
            try:
                await self._run(_commands([decoded]), ())
                self._crashed_in_a_row = 0
            except UnavailableError:
                raise
            except Exception as error:
                log.exception("message crashed", **message.log_fields())
                letter = crashed(message, error)
                self._check_limit(self._crashed_in_a_row + 1, 1, letter)
                await self._park([letter])
                self._crashed_in_a_row += 1
                self._limit.count(1)
                parked.add(message.key)

    def _check_unreadable(self, batch: Sequence[DecodedMessage]) -> int:
        """Return the number of unreadable messages in a row at the end of the batch. Raise TooMuchPoisonError."""
        in_a_row, uncounted = self._unreadable_in_a_row, 0
        for decoded in batch:
            if isinstance(decoded.content, DeadLetter):
                in_a_row, uncounted = in_a_row + 1, uncounted + 1
                self._check_limit(in_a_row, uncounted, decoded.content)
            else:
                in_a_row = 0
        return in_a_row

    def _check_limit(self, in_a_row: int, uncounted: int, last: DeadLetter) -> None:
        reached = self._limit.reached(in_a_row, uncounted)
        if reached is not None:
            raise TooMuchPoisonError(f"{reached} cannot be handled, the last one: {last.reason}", last.error)

    async def _park(self, letters: Sequence[DeadLetter]) -> None:
        await self._dead_letters.park(letters)
        for letter in letters:
            self._count_parked(letter.reason)
            log.error(
                "message parked",
                reason=letter.reason,
                error=letter.error,
                stack_digest=letter.stack_digest,
                **letter.message.log_fields(),
            )


def _commands(batch: Iterable[DecodedMessage]) -> list[ReceivedCommand]:
    return [command for decoded in batch for command in decoded.commands]
