import re

import msgspec
import pytest

from cheeper_contracts.actors import ANYONE, SENDER, SYSTEM
from cheeper_contracts.catalogue import COMMANDS
from cheeper_contracts.http.routes import ROUTES
from cheeper_contracts.superseded import SUPERSEDED_COMMANDS

pytestmark = pytest.mark.proves(guarantee="identity")


@pytest.mark.parametrize("command", [*COMMANDS, *SUPERSEDED_COMMANDS], ids=lambda command: command.TYPE)
def test_every_command_declares_who_may_send_it(command):
    """A command without an actor, or whose actor is none of its required fields, is one that anybody could send."""
    required = {field.name for field in msgspec.structs.fields(command) if field.required and field.type is str}
    assert command.ACTOR in {SYSTEM, *required}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_every_route_of_a_query_declares_who_may_send_it(route):
    """A query's reader is a parameter of its own path or a constant; a route without queries has none."""
    allowed = {ANYONE, SENDER, *re.findall("{([^}]+)}", route.path)} if route.queries else {None}
    assert route.reader in allowed


def test_the_constants_are_no_names():
    """A constant that was a field's name would let that field decide."""
    assert not any(constant.isidentifier() for constant in (ANYONE, SENDER, SYSTEM))
