"""The handling of a batch: commands run, poison parked, and later messages of its key parked behind it."""

import pytest

from cheeper_contracts.kafka.dead_letters import BEHIND, CRASHED, MALFORMED
from cheeper_runtime.dead_letters.poison_limit import PoisonLimit, TooMuchPoisonError
from write_api.bus.errors import UnavailableError
from write_api.bus.unit_of_work import Checkpoint
from write_api.consumer.batch import BatchHandler
from write_api.consumer.message import DeadLetter
from write_api.consumer.worker import decode

A, B = (f"00000000-0000-4000-8000-00000000000{n}" for n in "ab")


class Batches:
    """Batches of commands that are decoded and handled in one call."""

    def __init__(self, handler):
        self._handler = handler

    async def handle(self, messages, checkpoints=()):
        await self._handler.handle(self._handler.decode(messages), checkpoints)


def of(model, decode=decode, **limits):
    return Batches(BatchHandler(decode, model.handle, model, limit=PoisonLimit(**limits)))


async def test_what_follows_poison_in_its_key_is_parked_behind_it_and_the_rest_runs(model, a_message):
    """Order within a key survives poison, and other keys do not wait for it."""
    batch = [a_message("1"), a_message("broken"), a_message("2", B), a_message("3"), a_message("4", B)]
    await of(model).handle(batch)
    assert model.done == ["1", "2", "4"]
    assert model.reasons() == [(1, MALFORMED), (3, BEHIND)]


async def test_a_key_stays_parked_in_later_batches(model, a_message):
    """Later messages of the key wait as well, poison or not."""
    batches = of(model)
    await batches.handle([a_message("broken")])
    await batches.handle([a_message("1"), a_message("broken"), a_message("2", B)])
    assert model.done == ["2"]
    assert model.reasons() == [(0, MALFORMED), (1, BEHIND), (2, BEHIND)]


async def test_the_culprit_of_a_crash_is_found_and_parked_with_a_digest_of_its_stack(model, a_message):
    """One defect costs only its command, with those of its key behind it."""
    await of(model).handle([a_message("1"), a_message("crash"), a_message("2", B), a_message("3")])
    assert model.done == ["1", "2"]
    assert model.reasons() == [(1, CRASHED), (3, BEHIND)]
    assert model.parked[0].error == "RuntimeError: a defect"
    assert model.parked[0].stack_digest


async def test_a_redelivered_batch_changes_nothing(model, a_message):
    """A command that was handled before its key was parked is not parked when it is redelivered."""
    batch = [a_message("1"), a_message("broken"), a_message("2")]
    await of(model).handle(batch)
    before = model.done[:], model.reasons()
    await of(model).handle(batch)
    assert (model.done, model.reasons()) == before


async def test_a_fault_of_the_servers_is_no_poison(model, a_message):
    """The batch is to be handled again: nothing is parked, and nothing counts against the commands."""
    model.available = False
    batches, batch = of(model, most_in_a_row=1), [a_message("1")]
    with pytest.raises(UnavailableError):
        await batches.handle(batch)
    model.available = True
    await batches.handle(batch)
    assert (model.done, model.parked) == (["1"], [])


@pytest.mark.parametrize("text", ["broken", "crash"])
async def test_too_much_poison_in_a_row_stops(model, a_message, text):
    """A bad deployment stops the consumer instead of draining the topic."""
    batches = of(model, most_in_a_row=3)
    for n in range(2):
        await batches.handle([a_message(text, f"{n}{A[1:]}")])
    with pytest.raises(TooMuchPoisonError):
        await batches.handle([a_message(text, B)])
    assert len(model.parked) == 2


@pytest.mark.parametrize(
    ("text", "reason", "error"), [("broken", MALFORMED, "truncated"), ("crash", CRASHED, "RuntimeError: a defect")]
)
async def test_the_reason_for_stopping_does_not_contain_the_error(model, a_message, text, reason, error):
    """Readiness exposes the number and the reason; the error, which may quote the message, is for the log."""
    with pytest.raises(TooMuchPoisonError) as stopped:
        await of(model, most_in_a_row=1).handle([a_message(text)])
    assert str(stopped.value) == f"1 messages in a row cannot be handled, the last one: {reason}"
    assert error in stopped.value.last_error


@pytest.mark.parametrize("text", ["broken", "crash"])
async def test_a_good_command_between_begins_the_count_anew(model, a_message, text):
    """Poison now and then never stops the consumer."""
    batches = of(model, most_in_a_row=2)
    for n in range(5):
        await batches.handle([a_message(text, f"{n}{A[1:]}")])
        await batches.handle([a_message("good", B)])
    assert len(model.parked) == 5


@pytest.mark.parametrize("text", ["broken", "crash"])
async def test_too_much_poison_a_minute_stops(model, a_message, text):
    """Good commands between do not hide a frequent defect; messages that wait behind poison do not count."""
    batches = of(model, most_a_minute=4)
    for n in range(3):
        await batches.handle([a_message(text, f"{n}{A[1:]}"), a_message("good", B), a_message("3", f"{n}{A[1:]}")])
    with pytest.raises(TooMuchPoisonError, match="4 messages within a minute"):
        await batches.handle([a_message(text, f"9{A[1:]}"), a_message("good", B)])
    assert len(model.parked) == 6


async def test_a_message_that_leads_to_nothing_is_skipped(model, a_message):
    """It is neither run nor parked, not even behind poison of its key."""
    batches = of(model, nothing_follows_from_b)
    await batches.handle([a_message("1"), a_message("broken"), a_message("2", B), a_message("broken", B)])
    assert (model.done, model.reasons()) == (["1"], [(1, MALFORMED)])
    model.parked.append(DeadLetter(message=a_message("x", B), reason=MALFORMED))
    await batches.handle([a_message("3", B)])
    assert (model.done, len(model.parked)) == (["1"], 2)


async def test_a_message_that_leads_to_nothing_ends_a_row_of_poison(model, a_message):
    """Poison with other messages between is not in a row, even if nothing follows from those."""
    batches = of(model, nothing_follows_from_b, most_in_a_row=2)
    for n in range(5):
        await batches.handle([a_message("broken", f"{n}{A[1:]}"), a_message("1", B)])
        await batches.handle([a_message("2", B)])
    assert len(model.parked) == 5
    await batches.handle([a_message("broken", f"5{A[1:]}")])
    with pytest.raises(TooMuchPoisonError):
        await batches.handle([a_message("broken", f"6{A[1:]}")])


def nothing_follows_from_b(message):
    """Decode as the worker does, except that nothing follows from the key B."""
    return () if message.key == B else decode(message)


AT_FIVE = (Checkpoint(topic="c", partition=0, topic_id="t", since=0, next_offset=5),)


@pytest.mark.parametrize("texts", [["1", "2"], ["1", "broken"], ["broken"], ["1", "crash"], []])
async def test_the_checkpoint_moves_behind_a_batch_whatever_becomes_of_its_messages(model, a_message, texts):
    """It moves once everything before it is handled or parked."""
    await of(model).handle([a_message(text, key) for text, key in zip(texts, (A, B), strict=False)], AT_FIVE)
    assert model.checkpoints == {0: AT_FIVE[0]}
    assert model.checkpoint_calls == [[text for text in texts if text in "12"] if set(texts) <= {*"12"} else []]


async def test_the_checkpoint_stays_before_a_batch_that_was_not_handled(model, a_message):
    """The batch is handled again, by the consumer that has the partition then."""
    model.available = False
    with pytest.raises(UnavailableError):
        await of(model).handle([a_message("1")], AT_FIVE)
    assert model.checkpoints == {}
