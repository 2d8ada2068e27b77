"""A state machine over HTTP: hypothesis draws programs of commands, the write model's SQL judges the views after each.

Where a program ends with a difference hypothesis shrinks it, and the failure shows the requests that are left as lines
for a shell. CHEEPER_SEED draws other programs, CHEEPER_COMMANDS more of them.
"""

import asyncio
import os
import uuid
from itertools import count

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from cheeper_e2e.actions.actions import Scene
from cheeper_e2e.actions.drawing import Drawing
from cheeper_e2e.actions.sender import Sender
from cheeper_e2e.http.client import Client
from cheeper_e2e.oracle.comparison import differences, report, wait_until_quiescent
from cheeper_e2e.oracle.write_model import WriteModel

SEED = int(os.environ.get("CHEEPER_SEED", "1"))
COMMANDS = int(os.environ.get("CHEEPER_COMMANDS", "2000"))
PROGRAMS_A_ROUND = 10
STEPS = 100
AUTHORS = 5
AT_ONCE = 8
SETTLE_SECONDS = 60

draws = st.randoms(use_true_random=False)

pytestmark = [pytest.mark.local, pytest.mark.extended, pytest.mark.takes(seconds=70)]


class Cheeper(RuleBasedStateMachine):
    """One program: commands of few authors, alone and several at once, and at the end the comparison."""

    requests = 0

    def __init__(self, runner, url, database_url, callers):
        super().__init__()
        self._runner = runner
        self._client = Client(url, patience=60, connections=AT_ONCE * 2, callers=callers)
        self._model = WriteModel(database_url)
        self._drawing = Drawing(Scene(str(uuid.uuid4())), AUTHORS)
        self._sender = Sender(self._client)

    def _run(self, *coroutines):
        async def together():
            async with asyncio.TaskGroup() as group:
                for coroutine in coroutines:
                    group.create_task(coroutine)

        self._sender.begin_step()
        self._runner.run(together())

    @rule(draw=draws)
    def one_command(self, draw):
        self._run(self._sender.send(self._drawing.action(draw)))

    @rule(draw=draws, number=st.integers(2, AT_ONCE))
    def several_at_once(self, draw, number):
        self._run(*(self._sender.send(self._drawing.action(draw)) for _ in range(number)))

    @precondition(lambda self: self._sender.sent)
    @rule(draw=draws)
    def the_same_again(self, draw):
        self._run(self._sender.repeat(draw.choice(self._sender.sent)))

    @precondition(lambda self: self._sender.sent)
    @rule(draw=draws)
    def another_command_with_its_key(self, draw):
        sent, action = draw.choice(self._sender.sent), self._drawing.action(draw)
        if action != sent.action and action.certain is None:
            self._run(self._sender.reuse_key(sent, action))

    @rule()
    def until_all_shows(self):
        self._run(self._sender.settle(SETTLE_SECONDS))

    def teardown(self):
        """Compare everything with the write model."""
        try:
            self._runner.run(self._compare())
        finally:
            Cheeper.requests += self._sender.requests
            self._model.__exit__(None, None, None)
            self._runner.run(self._client.__aexit__(None, None, None))

    async def _compare(self):
        authors = [self._drawing.scene.id_of("author", number) for number in range(AUTHORS)]
        await wait_until_quiescent(self._client, self._model, self._sender, authors, SETTLE_SECONDS)
        searches = [self._drawing.scene.tag]
        found = await differences(self._client, self._model, self._sender, authors, searches=searches)
        assert not found, report(found, self._sender)


def test_any_program_of_commands_leaves_the_views_equal_to_the_write_model(local_stack, callers):
    """Whatever few authors command, alone or several at once, every view equals the write model's SQL at rest."""
    database_url = local_stack.environment["DATABASE_URL"]
    rounds = count(SEED)
    with asyncio.Runner() as runner:

        def program():
            return Cheeper(runner, local_stack.gateway, database_url, callers)

        while Cheeper.requests < COMMANDS:  # how long hypothesis makes its programs is its own affair
            run_state_machine_as_test(
                seed(next(rounds))(program),
                settings=settings(
                    max_examples=PROGRAMS_A_ROUND,
                    stateful_step_count=STEPS,
                    deadline=None,
                    database=None,
                    report_multiple_bugs=False,
                    suppress_health_check=list(HealthCheck),
                ),
            )
