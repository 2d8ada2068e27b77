"""The status of a command in the course of its life, from both stores."""

import pytest
from read_api_layout import command_record, new_id

from read_api.queries.command import Command
from read_api.queries.timeline import Timeline
from read_api.query_bus.query import NotFoundError


async def status(ask, message, **query):
    return (await ask(Command(message_id=message, **query))).data.status


async def test_from_accepted_to_projected(hot, documents, ask):
    """A command is unknown, accepted, handled, and projected when its fan-out is done and both stores have it."""
    message, author = new_id(), new_id()
    with pytest.raises(NotFoundError) as caught:
        await ask(Command(message_id=message))
    assert (caught.value.code, str(caught.value)) == ("command_not_found", f'Command "{message}" does not exist')
    hot.accept(message)
    assert await status(ask, message) == "accepted"
    hot.task(author, 5)
    hot.command(message, key=author, sequence=5)
    assert await status(ask, message) == "handled"
    documents.command(command_record(message, key=author, sequence=5))
    assert await status(ask, message) == "handled"
    hot.task_done(author)
    assert await status(ask, message) == "projected"


async def test_a_rejected_command_has_its_reason(hot, documents, ask):
    """One store's record is enough to say what the domain refused, and why."""
    message = new_id()
    refused = {"status": "rejected", "code": "username_taken", "message": "It is taken."}
    documents.command(command_record(message, key=new_id(), sequence=5, **refused))
    outcome = (await ask(Command(message_id=message))).data
    assert (outcome.status, outcome.changed, outcome.code, outcome.message) == (
        "rejected",
        False,
        *list(refused.values())[1:],
    )
    assert outcome.type == "cheeper.post-cheep.v1"
    hot.command(message, key=new_id(), sequence=5, **refused)
    assert await status(ask, message) == "rejected"


async def test_after_waits_for_both_stores(hot, documents, ask):
    """A wait is over once the command is settled in Redis, its tasks done, and in MongoDB."""
    message, author = new_id(), new_id()
    hot.command(message, key=author, sequence=5)
    documents_lack_it = await ask(Command(message_id=message, after=message, timeout=0.05))
    assert (documents_lack_it.settled, documents_lack_it.data.status) == (False, "handled")
    documents.command(command_record(message, key=author, sequence=5))
    hot.task(author, 5)
    assert not (await ask(Command(message_id=message, after=message, timeout=0.05))).settled
    hot.task_done(author)
    done = await ask(Command(message_id=message, after=message, timeout=10))
    assert (done.settled, done.data.status) == (True, "projected")


async def test_an_accepted_command_is_not_waited_for(hot, ask):
    """A command that is only accepted has no effects yet, also for a view that has no tasks."""
    message = new_id()
    hot.accept(message)
    assert not (await ask(Timeline(author_id=new_id(), after=message, timeout=0.05))).settled
    assert await status(ask, message) == "accepted"
