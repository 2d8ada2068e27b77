"""The book's "Demo Time" through /chapter7, exact as api.md defines it."""

import io

import pytest
from rich.console import Console

from cheeper_e2e.demo.play import play
from cheeper_e2e.demo.screen import Screen
from cheeper_e2e.demo.transcript import Ask, demo_time, mismatch, strangers
from cheeper_local.running import RunningStack
from cheeper_local.waiting import eventually


@pytest.fixture
def fresh_stack():
    """A stack of this test alone, in step mode."""
    with RunningStack.temporary(step=True) as stack:
        yield stack


@pytest.mark.local
@pytest.mark.extended
@pytest.mark.takes(seconds=40)
async def test_demo_time_step_by_step(fresh_stack):
    """With the book's ids on a fresh stack every step answers as the book prints it, between the processes too."""
    printed = io.StringIO()
    await play(fresh_stack, Screen(Console(file=printed, soft_wrap=True)))
    for queue in ("commands", "events", "projections", "failed messages"):
        assert queue in printed.getvalue()


async def test_demo_time_while_all_runs(client):
    """With other ids on a running stack the same requests end in the same answers."""
    for step in demo_time(strangers()):
        for ask in step.actions:
            if not isinstance(ask, Ask) or ask.only_stepwise:
                continue
            if ask.method == "POST":
                reply = await client.request("POST", ask.path, body=ask.body)
                assert (reply.status, mismatch(ask.data, reply.data)) == (ask.status, None), reply.curl
                continue

            async def answered(ask=ask):
                reply = await client.request(ask.method, ask.path)
                return reply.status == ask.status and mismatch(ask.data, reply.data) is None

            await eventually(answered, what=f"{step.title}: {ask.path} answers {ask.status} {ask.data}")
