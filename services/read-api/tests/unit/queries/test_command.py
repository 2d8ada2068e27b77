"""The status of a command, for all combinations of what the two stores have."""

from dataclasses import dataclass
from itertools import product

import msgspec
import pytest

from cheeper_contracts.http.responses import COMMAND_RECORD_SECONDS, OVERDUE_SECONDS
from cheeper_contracts.views import AcceptedCommand, CommandRecord
from read_api.queries.command import LAPSE_SECONDS, Command, HotCommand, show_command
from read_api.query_bus.query import Result

NOW = 1_700_000_000
STATUSES = ["accepted", "handled", "projected"]


def record(status, **fields):
    if status == "accepted":
        return AcceptedCommand(message_id="m", key="k", type="cheeper.follow.v1", at=NOW * 1_000_000)
    about = {"message_id": "m", "key": "k", "partition": 0, "sequence": 1, "type": "cheeper.follow.v1"}
    return CommandRecord(**{**about, "status": status, "at": NOW * 1_000_000, "changed": status == "handled", **fields})


@dataclass
class Stores:
    """Both stores, with the one command."""

    hot: CommandRecord | AcceptedCommand | None = None
    projected: bool = False
    document: CommandRecord | None = None
    settled: tuple[bool, bool] = (True, True)
    now: float = NOW

    async def command(self, _message_id, *, after):
        accepted = isinstance(self.hot, AcceptedCommand)
        return HotCommand(
            now=self.now,
            record=None if accepted else self.hot,
            accepted=self.hot if accepted else None,
            projected=self.projected,
            settled=after is None or self.settled[0],
        )

    async def record(self, _message_id, *, after):
        return Result(data=self.document, settled=after is None or self.settled[1])


async def status_of(stores, now=NOW, **query):
    stores.now = now
    return await show_command(Command(message_id="m", **query), stores, stores)


@pytest.mark.parametrize(
    ("hot", "projected", "document", "status"),
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
async def test_the_status(hot, projected, document, status):
    """A command is rejected if a record says so, projected once all views of both stores have it, accepted before."""
    found = await status_of(Stores(hot and record(hot), projected, document and record(document)))
    assert (found.data and found.data.status) == status


async def test_the_status_moves_forward_only():
    """Whichever store is ahead, a later status is never behind an earlier one."""
    hots = [(None, False), (record("accepted"), False), (record("handled"), False), (record("handled"), True)]
    documents = [None, record("handled")]
    ranks = {}
    for (i, hot), (j, document) in product(enumerate(hots), enumerate(documents)):
        data = (await status_of(Stores(*hot, document))).data
        ranks[i, j] = STATUSES.index(data.status) if data else -1
    for (i, j), (k, m) in product(ranks, ranks):
        assert not (i <= k and j <= m) or ranks[i, j] <= ranks[k, m]


async def test_the_fields_of_a_status():
    """An accepted command has no change yet; a rejected one has its code and message."""
    at = "2023-11-14T22:13:20+00:00"
    shown = [
        msgspec.to_builtins(
            (await status_of(Stores(found, True, None if isinstance(found, AcceptedCommand) else found))).data
        )
        for found in (
            record("accepted"),
            record("handled", changed=False),
            record("rejected", code="not_the_author", message="No."),
        )
    ]
    about = {"type": "cheeper.follow.v1", "at": at}
    assert shown == [
        {"status": "accepted", **about},
        {"status": "projected", "changed": False, **about},
        {"status": "rejected", "changed": False, "code": "not_the_author", "message": "No.", **about},
    ]


async def test_a_record_lapses_in_both_stores_at_once():
    """A record is hidden shortly before either store expires it, so no status goes back."""
    both = Stores(record("handled"), projected=True, document=record("handled"))
    shown_until = NOW + COMMAND_RECORD_SECONDS - LAPSE_SECONDS
    assert (await status_of(both, now=shown_until - 1)).data.status == "projected"
    assert (await status_of(both, now=shown_until)).data is None
    assert (await status_of(Stores(document=record("handled")), now=shown_until)).data is None


@pytest.mark.parametrize(("settled", "whole"), [((True, True), True), ((False, True), False), ((True, False), False)])
async def test_the_wait_is_for_both_stores(settled, whole):
    """`after` is settled once it is settled in both stores."""
    assert (await status_of(Stores(settled=settled), after="a")).settled == whole
    assert (await status_of(Stores(settled=settled))).settled


@pytest.mark.parametrize(("age", "overdue"), [(0, False), (OVERDUE_SECONDS, False), (OVERDUE_SECONDS + 1, True)])
async def test_an_accepted_command_is_overdue_after_a_minute(age, overdue):
    """Its sender learns that it may be lost; a command with an outcome is never overdue."""
    accepted = (await status_of(Stores(record("accepted")), now=NOW + age)).data
    assert ("overdue" in msgspec.to_builtins(accepted)) == overdue
    handled = (await status_of(Stores(record("handled")), now=NOW + age)).data
    assert "overdue" not in msgspec.to_builtins(handled)


@pytest.mark.parametrize("sent", [True, False])
async def test_the_status_of_a_follow_is_for_its_sender_and_its_key(sent):
    """A follow has the key of the followed author, so its sender is known by the note that it was accepted."""
    accepted = msgspec.structs.replace(record("accepted"), actor="sender") if sent else None

    class Both(Stores):
        async def command(self, message_id, *, after):
            return msgspec.structs.replace(await super().command(message_id, after=after), accepted=accepted)

    shown = {each: (await status_of(Both(hot=record("handled")), sender=each)).data for each in ("sender", "k", "x")}
    assert [each for each, data in shown.items() if data is not None] == (["sender", "k"] if sent else ["k"])
