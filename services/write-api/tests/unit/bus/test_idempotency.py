"""Commands that come again: any sequence of them is the same sequence without what was repeated."""

import asyncio
import itertools
import os
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cheeper_contracts.commands.answer_cheep import AnswerCheep
from cheeper_contracts.commands.block import Block
from cheeper_contracts.commands.change_email import ChangeEmail
from cheeper_contracts.commands.delete_cheep import DeleteCheep
from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.commands.mute import Mute
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.commands.unblock import Unblock
from cheeper_contracts.commands.unfollow import Unfollow
from cheeper_contracts.commands.unmute import Unmute
from cheeper_contracts.commands.update_cheep import UpdateCheep
from cheeper_contracts.commands.update_profile import UpdateProfile
from cheeper_contracts.kafka.envelope import Envelope
from write_api.bus.bus import CommandBus
from write_api.bus.dispatcher import Dispatcher, Transport
from write_api.bus.limits import Limits
from write_api.bus.outcome import MESSAGE_ID_REUSED, Outcome, ReceivedCommand, digest_of
from write_api.features import HANDLERS, TRANSPORTS
from write_api.testing import MemoryTransactions

pytestmark = pytest.mark.proves(guarantee="idempotent-commands")

FEW = 3
EXAMPLES = int(os.environ.get("CHEEPER_EXAMPLES", "20"))
"""Each plays whole sequences, and the model in memory copies itself for every command."""


def an_id(kind, number):
    return f"{kind:08x}-0000-4000-8000-{number:012x}"


authors, cheeps, follows = (st.integers(0, FEW - 1).map(lambda n, kind=kind: an_id(kind, n)) for kind in (1, 2, 3))
texts = st.sampled_from(["one", "two"])
commands = st.one_of(
    st.builds(
        SignUp,
        author_id=authors,
        username=st.sampled_from(["a", "b", "c"]),
        email=st.sampled_from([f"{name}@example.com" for name in "abc"]),
    ),
    st.builds(UpdateProfile, author_id=authors, name=texts),
    st.builds(ChangeEmail, author_id=authors, email=st.sampled_from([f"{name}@example.com" for name in "abcd"])),
    st.builds(Follow, follow_id=follows, from_author_id=authors, to_author_id=authors),
    st.builds(Unfollow, from_author_id=authors, to_author_id=authors),
    st.builds(Mute, author_id=authors, muted_id=authors),
    st.builds(Unmute, author_id=authors, muted_id=authors),
    st.builds(Block, author_id=authors, blocked_id=authors),
    st.builds(Unblock, author_id=authors, blocked_id=authors),
    st.builds(PostCheep, cheep_id=cheeps, author_id=authors, message=texts),
    st.builds(UpdateCheep, cheep_id=cheeps, author_id=authors, message=texts),
    st.builds(DeleteCheep, cheep_id=cheeps, author_id=authors),
    st.builds(AnswerCheep, cheep_id=cheeps, in_reply_to=cheeps, author_id=authors, message=texts),
)
sign_ups = [
    SignUp(author_id=an_id(1, n), username="abc"[n], email=f"{'abc'[n]}@example.com") for n in range(FEW)
]  # so that most of what follows has somebody to act on

steps = st.lists(
    st.one_of(
        st.tuples(st.just("new"), commands, st.sampled_from(Transport)),
        st.tuples(st.just("repeat"), st.integers(0, 30), st.sampled_from(Transport)),
        st.tuples(st.just("reuse"), st.integers(0, 30), commands, st.sampled_from(Transport)),
        st.tuples(st.just("deliver again"), st.integers(0, 30)),
        st.tuples(st.just("work")),
    ),
    max_size=15,
)


class World:
    """The write side: a dispatcher for clients, a topic, and the worker behind it."""

    def __init__(self):
        self.transactions = MemoryTransactions(clock=lambda: 1_000_000 + len(self.transactions.tables.outbox))
        self.transports = dict(TRANSPORTS)
        self.topic, self.reached = [], 0
        bus, self.worker = (
            CommandBus(self.transactions.begin, lambda: None, HANDLERS, source="/x", accepted=accepted)
            for accepted in (False, True)
        )
        self.dispatcher = Dispatcher(
            bus, self.transports, self.transactions, self._send, Limits.of(database=10, broker=10, queue_seconds=60)
        )

    async def _send(self, command, envelope):
        self.topic.append(ReceivedCommand(command=command, envelope=envelope))

    async def dispatch(self, command, message_id, transport):
        """Return the client's outcome: of an accepted command only that, whatever its outcome is since."""
        self.transports[type(command)] = transport
        outcome = await self.dispatcher.dispatch(command, envelope_of(command, message_id), repeatable=True)
        return Outcome(accepted=True) if outcome.accepted else outcome

    async def work(self):
        """Handle all that is in the topic and was not yet."""
        for incoming in self.topic[self.reached :]:
            await self.worker.handle([incoming])
        self.reached = len(self.topic)

    def outbox_messages(self):
        """Return the outbox's events, each with the id of its command, in order."""
        return [(handled.message_id, handled.event) for handled in self.transactions.tables.outbox]


def envelope_of(command, message_id):
    return Envelope(
        message_id=message_id, type=command.TYPE, source="/c", time=1, key=command.key, correlation_id=message_id
    )


async def both(drawn):
    """Play what was drawn with its repeats in one world and without them in the other."""
    with_repeats, without = World(), World()
    sent = []
    numbers = itertools.count()
    for command in sign_ups:
        drawn = [("new", command, Transport.SYNC), *drawn]
    for kind, *step in drawn:
        if kind == "new":
            command, transport = step
            message_id = an_id(9, next(numbers))
            outcomes = [await world.dispatch(command, message_id, transport) for world in (with_repeats, without)]
            assert outcomes[0] == outcomes[1]
            sent.append((command, message_id, outcomes[0]))
        elif kind == "repeat":
            command, message_id, outcome = sent[step[0] % len(sent)]
            if step[1] is Transport.SYNC:  # which runs at once what only waited until now, in either world
                await with_repeats.work()
                await without.work()
            assert await with_repeats.dispatch(command, message_id, step[1]) == outcome
        elif kind == "reuse":
            index, command, transport = step
            first, message_id, _ = sent[index % len(sent)]
            if digest_of(command) != digest_of(first):
                outcome = await with_repeats.dispatch(command, message_id, transport)
                assert outcome.code == MESSAGE_ID_REUSED
        elif kind == "deliver again" and with_repeats.reached:
            await with_repeats.worker.handle([with_repeats.topic[step[0] % with_repeats.reached]])
        elif kind == "work":
            await with_repeats.work()
            await without.work()
    await with_repeats.work()
    await without.work()
    return with_repeats, without


@settings(max_examples=EXAMPLES)
@given(steps)
def test_a_sequence_with_repeats_is_the_sequence_without(drawn):
    """Repeats by either transport, deliveries by Kafka again and ids taken for other requests change no outcome, no
    event, no date and nothing of the write model, wherever they are.
    """
    with_repeats, without = asyncio.run(both(drawn))
    assert with_repeats.outbox_messages() == without.outbox_messages()
    assert set(Counter(message_id for message_id, _ in with_repeats.outbox_messages()).values()) <= {1}
    for table in ("authors", "follows", "cheeps"):
        assert getattr(with_repeats.transactions.tables, table) == getattr(without.transactions.tables, table), table


@settings(max_examples=EXAMPLES)
@given(st.lists(commands, max_size=8), st.data())
def test_an_act_done_twice_is_done_once(drawn, data):
    """The same command straight after itself under an id of its own emits no domain event and changes nothing."""

    async def play(again):
        world = World()
        for number, command in enumerate([*sign_ups, *drawn]):
            for message_id in [an_id(8, number)] + [an_id(9, number)] * again[number]:
                await world.dispatch(command, message_id, Transport.SYNC)
        return world

    again = [data.draw(st.integers(0, 1)) for _ in range(len(sign_ups) + len(drawn))]
    twice, once = asyncio.run(play(again)), asyncio.run(play([0] * len(again)))
    first_acts = [one for one in twice.outbox_messages() if one[0].startswith(f"{8:08x}")]
    assert [type(event) for _, event in first_acts] == [type(event) for _, event in once.outbox_messages()]
    others = {event.TYPE for message_id, event in twice.outbox_messages() if message_id.startswith(f"{9:08x}")}
    assert others <= {"cheeper.command-handled.v1", "cheeper.command-rejected.v1"}
