"""The status of a command, of all that the two stores may say of it."""

from dataclasses import dataclass
from itertools import product

import msgspec
import pytest

from cheeper_contracts.views import COMMAND_RECORD_SECONDS, AcceptedCommand, CommandRecord
from read_api.queries.command import LAPSE_SECONDS, Command, HotCommand, ShowCommand
from read_api.query_bus.read_your_writes import Waiter

NOW = 1_700_000_000
STATUSES = ["accepted", "handled", "projected"]


def record(status, **fields):
    if status == "accepted":
        return AcceptedCommand(message_id="m", key="k", type="cheeper.follow.v1", at=NOW * 1_000_000)
    about = {"message_id": "m", "key": "k", "partition": 0, "sequence": 1, "type": "cheeper.follow.v1"}
    return CommandRecord(**{**about, "status": status, "at": NOW * 1_000_000, "changed": status == "handled", **fields})


@dataclass
class Stores:
    """Both stores: what each has of the one command."""

    hot: CommandRecord | AcceptedCommand | None = None
    effects_in: bool = False
    document: CommandRecord | None = None
    settled: tuple[bool, bool] = (True, True)

    async def command(self, _message_id, *, after):
        accepted = isinstance(self.hot, AcceptedCommand)
        return HotCommand(
            record=None if accepted else self.hot,
            accepted=self.hot if accepted else None,
            effects_in=self.effects_in,
            settled=after is None or self.settled[0],
        )

    async def record(self, _message_id, *, after):
        return self.document, after is None or self.settled[1]


async def look(stores, now=NOW, **query):
    async def nothing(_message_ids):
        return set()

    return await ShowCommand(stores, stores, Waiter(nothing), lambda: now).look(Command(message_id="m", **query))


@pytest.mark.parametrize(
    ("hot", "effects_in", "document", "status"),
    [
        (None, False, None, None),
        ("accepted", False, None, "accepted"),
        ("accepted", False, "handled", "handled"),
        ("handled", False, None, "handled"),
        ("handled", True, None, "handled"),
        ("handled", False, "handled", "handled"),
        (None, False, "handled", "handled"),
        ("handled", True, "handled", "projected"),
        ("accepted", False, "rejected", "rejected"),
        ("rejected", True, None, "rejected"),
        (None, False, "rejected", "rejected"),
        ("rejected", True, "rejected", "rejected"),
    ],
)
async def test_the_status(hot, effects_in, document, status):
    """Rejected where a record says so, projected once all views of both stores have it, and accepted until either."""
    found = await look(Stores(hot and record(hot), effects_in, document and record(document)))
    assert (found.data and found.data.status) == status


async def test_the_status_moves_forward_only():
    """However the two stores come along, no later look says less than an earlier one."""
    hots = [(None, False), (record("accepted"), False), (record("handled"), False), (record("handled"), True)]
    documents = [None, record("handled")]
    ranks = {}
    for (i, hot), (j, document) in product(enumerate(hots), enumerate(documents)):
        data = (await look(Stores(*hot, document))).data
        ranks[i, j] = STATUSES.index(data.status) if data else -1
    for (i, j), (k, m) in product(ranks, ranks):
        assert not (i <= k and j <= m) or ranks[i, j] <= ranks[k, m]


async def test_what_is_told():
    """An accepted command's change is not known; a rejected one has its code and sentence."""
    at = "2023-11-14T22:13:20+00:00"
    told = [
        msgspec.to_builtins(
            (await look(Stores(found, True, None if isinstance(found, AcceptedCommand) else found))).data
        )
        for found in (
            record("accepted"),
            record("handled", changed=False),
            record("rejected", code="not_the_author", message="No."),
        )
    ]
    about = {"type": "cheeper.follow.v1", "at": at}
    assert told == [
        {"status": "accepted", **about},
        {"status": "projected", "changed": False, **about},
        {"status": "rejected", "changed": False, "code": "not_the_author", "message": "No.", **about},
    ]


async def test_a_record_lapses_in_both_stores_at_once():
    """Shortly before either store may drop a record it is not shown any more, so no status goes back by that."""
    both = Stores(record("handled"), effects_in=True, document=record("handled"))
    shown_until = NOW + COMMAND_RECORD_SECONDS - LAPSE_SECONDS
    assert (await look(both, now=shown_until - 1)).data.status == "projected"
    assert (await look(both, now=shown_until)).data is None
    assert (await look(Stores(document=record("handled")), now=shown_until)).data is None


@pytest.mark.parametrize(("settled", "whole"), [((True, True), True), ((False, True), False), ((True, False), False)])
async def test_the_wait_is_for_both_stores(settled, whole):
    """What `after` names is in where it is in both."""
    assert (await look(Stores(settled=settled), after="a")).settled == whole
    assert (await look(Stores(settled=settled))).settled
