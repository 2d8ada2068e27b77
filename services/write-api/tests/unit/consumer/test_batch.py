"""A batch: its commands run, poison parked, and what follows poison in its key parked behind it."""

import pytest

from cheeper_contracts import codec
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.dead_letters import BEHIND, CRASHED, MALFORMED
from cheeper_contracts.envelope import Envelope, to_headers
from cheeper_runtime.poison_limit import PoisonLimit, TooMuchPoisonError
from write_api.bus.errors import UnavailableError
from write_api.bus.ids import new_id
from write_api.consumer.batch import BatchHandler
from write_api.consumer.message import ConsumedMessage, DeadLetter
from write_api.consumer.worker import decode

A, B = (f"00000000-0000-4000-8000-00000000000{n}" for n in "ab")


class World:
    """A bus that keeps what it did and crashes on commands that say so, and letters in memory."""

    def __init__(self):
        self.done, self.parked, self.away = [], [], 0

    async def handle(self, batch):
        for incoming in batch:
            if incoming.command.message == "crash":
                raise RuntimeError("a defect")
        self._maybe_away()
        self.done += [i.command.message for i in batch if i.envelope.message_id not in await self.handled(None)]
        self.ids = getattr(self, "ids", set()) | {incoming.envelope.message_id for incoming in batch}

    async def parked_keys(self, keys):
        return {letter.message.key for letter in self.parked} & keys

    async def handled(self, _):
        return getattr(self, "ids", set())

    async def park(self, letters):
        places = {letter.message.offset for letter in self.parked}
        self.parked += [letter for letter in letters if letter.message.offset not in places]

    def _maybe_away(self):
        if self.away:
            self.away -= 1
            raise UnavailableError("away")

    def story(self):
        return [(letter.message.offset, letter.reason) for letter in self.parked]


class Course:
    """Batches of commands that are read and handled in one go."""

    def __init__(self, batches):
        self.batches = batches

    async def handle(self, messages):
        await self.batches.handle(self.batches.decode(messages))


def of(world, decode=decode, **limits):
    return Course(BatchHandler(decode, world.handle, world, limit=PoisonLimit(**limits)))


@pytest.fixture
def world():
    return World()


@pytest.fixture
def offsets():
    return iter(range(10_000))


@pytest.fixture
def a_message(offsets):
    def make(text, key=A):
        post, message_id = PostCheep(cheep_id=new_id(), author_id=key, message=text), new_id()
        envelope = Envelope(
            message_id=message_id, type=post.TYPE, source="/t", time=1, key=key, correlation_id=message_id
        )
        value = b"{" if text == "broken" else codec.encode(post)
        return ConsumedMessage(
            topic="c", partition=0, offset=next(offsets), key=key, headers=to_headers(envelope), value=value
        )

    return make


async def test_what_follows_poison_in_its_key_is_parked_behind_it_and_the_rest_runs(world, a_message):
    """Order within a key outlives poison, and other keys do not wait for it."""
    batch = [a_message("1"), a_message("broken"), a_message("2", B), a_message("3"), a_message("4", B)]
    await of(world).handle(batch)
    assert world.done == ["1", "2", "4"]
    assert world.story() == [(1, MALFORMED), (3, BEHIND)]


async def test_a_key_stays_parked_in_later_batches(world, a_message):
    """Whoever comes later waits as well, poison or not."""
    batches = of(world)
    await batches.handle([a_message("broken")])
    await batches.handle([a_message("1"), a_message("broken"), a_message("2", B)])
    assert world.done == ["2"]
    assert world.story() == [(0, MALFORMED), (1, BEHIND), (2, BEHIND)]


async def test_the_culprit_of_a_crash_is_found_and_parked_with_a_digest_of_its_stack(world, a_message):
    """One defect costs its command alone, with those of its key behind it."""
    await of(world).handle([a_message("1"), a_message("crash"), a_message("2", B), a_message("3")])
    assert world.done == ["1", "2"]
    assert world.story() == [(1, CRASHED), (3, BEHIND)]
    assert world.parked[0].error == "RuntimeError: a defect"
    assert world.parked[0].stack_digest


async def test_a_batch_that_comes_again_changes_nothing(world, a_message):
    """A command that was handled before its key was parked is not parked when Kafka gives it again."""
    batch = [a_message("1"), a_message("broken"), a_message("2")]
    await of(world).handle(batch)
    before = world.done[:], world.story()
    await of(world).handle(batch)
    assert (world.done, world.story()) == before


async def test_a_fault_of_the_servers_is_no_poison(world, a_message):
    """What is away is waited for: nothing is parked, and nothing counts against the commands."""
    world.away = 1
    batches, batch = of(world, most_in_a_row=1), [a_message("1")]
    with pytest.raises(UnavailableError):
        await batches.handle(batch)
    await batches.handle(batch)
    assert (world.done, world.parked) == (["1"], [])


@pytest.mark.parametrize("text", ["broken", "crash"])
async def test_too_much_poison_in_a_row_stops(world, a_message, text):
    """A bad deploy stops the consumer instead of draining the topic."""
    batches = of(world, most_in_a_row=3)
    for n in range(2):
        await batches.handle([a_message(text, f"{n}{A[1:]}")])
    with pytest.raises(TooMuchPoisonError):
        await batches.handle([a_message(text, B)])
    assert len(world.parked) == 2


@pytest.mark.parametrize(
    ("text", "reason", "error"), [("broken", MALFORMED, "truncated"), ("crash", CRASHED, "RuntimeError: a defect")]
)
async def test_what_stops_is_told_to_anyone_without_the_last_ones_error(world, a_message, text, reason, error):
    """Readiness shows the text: the number and the reason. What an error says of a message is for the log."""
    with pytest.raises(TooMuchPoisonError) as stopped:
        await of(world, most_in_a_row=1).handle([a_message(text)])
    assert str(stopped.value) == f"1 messages in a row cannot be handled, the last one: {reason}"
    assert error in stopped.value.last_error


@pytest.mark.parametrize("text", ["broken", "crash"])
async def test_a_good_command_between_begins_the_count_anew(world, a_message, text):
    """Poison now and then never stops the consumer."""
    batches = of(world, most_in_a_row=2)
    for n in range(5):
        await batches.handle([a_message(text, f"{n}{A[1:]}")])
        await batches.handle([a_message("good", B)])
    assert len(world.parked) == 5


@pytest.mark.parametrize("text", ["broken", "crash"])
async def test_too_much_poison_a_minute_stops(world, a_message, text):
    """Good commands between do not hide a defect that meets many; what waits behind poison does not count."""
    batches = of(world, most_a_minute=4)
    for n in range(3):
        await batches.handle([a_message(text, f"{n}{A[1:]}"), a_message("good", B), a_message("3", f"{n}{A[1:]}")])
    with pytest.raises(TooMuchPoisonError, match="4 messages within a minute"):
        await batches.handle([a_message(text, f"9{A[1:]}"), a_message("good", B)])
    assert len(world.parked) == 6


async def test_what_leads_to_nothing_is_passed_over(world, a_message):
    """Neither run nor parked, not even behind poison of its key."""
    batches = of(world, nothing_follows_from_b)
    await batches.handle([a_message("1"), a_message("broken"), a_message("2", B), a_message("broken", B)])
    assert (world.done, world.story()) == (["1"], [(1, MALFORMED)])
    world.parked.append(DeadLetter(message=a_message("x", B), reason=MALFORMED))
    await batches.handle([a_message("3", B)])
    assert (world.done, len(world.parked)) == (["1"], 2)


async def test_what_leads_to_nothing_ends_a_row_of_poison(world, a_message):
    """Poison far apart is no row, however little the process manager makes of what stands between."""
    batches = of(world, nothing_follows_from_b, most_in_a_row=2)
    for n in range(5):
        await batches.handle([a_message("broken", f"{n}{A[1:]}"), a_message("1", B)])
        await batches.handle([a_message("2", B)])
    assert len(world.parked) == 5
    await batches.handle([a_message("broken", f"5{A[1:]}")])
    with pytest.raises(TooMuchPoisonError):
        await batches.handle([a_message("broken", f"6{A[1:]}")])


def nothing_follows_from_b(message):
    """Reads as the worker, but makes nothing of what has the key B."""
    return () if message.key == B else decode(message)
