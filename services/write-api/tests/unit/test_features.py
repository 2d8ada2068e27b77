import copy
import itertools

import msgspec
import pytest

from cheeper_contracts.catalogue import COMMANDS
from cheeper_contracts.commands.block import Block
from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.http.routes import ROUTES
from write_api.domain import values
from write_api.domain.errors import Invalid, Refusal
from write_api.domain.quotas import DEFAULT_QUOTAS, Quotas
from write_api.features import ENDPOINTS, FEATURES, HANDLERS
from write_api.testing import MemoryUnitOfWork, Tables

NOW = 1_700_000_000_000_000
BOB, ALICE, CAROL, DAVE, CHEEP, FOLLOW, NEW = (f"00000000-0000-4000-8000-00000000000{n}" for n in range(1, 8))
GIVEN = {
    values.identifier: (BOB, ALICE, CAROL, DAVE, CHEEP, FOLLOW, NEW),
    values.username: ("bob", "bobby"),
    values.email: ("bob@example.com", "bobby@example.com"),
    values.cheep_text: ("Hello", "Bye"),
}
"""The values with which each field is tried; others are left out."""
ALL_QUOTAS = (DEFAULT_QUOTAS, Quotas(follows=1), Quotas(follows_per_day=1), Quotas(posts_per_day=1))


def test_every_command_is_a_feature():
    """No command of the catalogue is without a handler, and none has two."""
    assert [feature.command for feature in FEATURES] == list(COMMANDS)


def test_every_command_route_has_its_endpoint():
    """Every method that the routes assign to commands is an endpoint, and no other is."""
    wanted = {(route.path, method) for route in ROUTES for method in route.commands}
    assert {(endpoint.route.path, endpoint.method) for endpoint in ENDPOINTS.values()} == wanted


@pytest.fixture
async def tables():
    """Four authors, a cheep of Bob, Bob's follow of Alice, and Dave's block of Bob."""
    tables = Tables()
    for author_id, name in ((BOB, "bob"), (ALICE, "alice"), (CAROL, "carol"), (DAVE, "dave")):
        await refusal_of(tables, SignUp(author_id=author_id, username=name, email=f"{name}@example.com"))
    await refusal_of(tables, PostCheep(cheep_id=CHEEP, author_id=BOB, message="Hello"))
    await refusal_of(tables, Follow(follow_id=FOLLOW, from_author_id=BOB, to_author_id=ALICE))
    await refusal_of(tables, Block(author_id=DAVE, blocked_id=BOB))
    return tables


async def refusal_of(tables, command, quotas=DEFAULT_QUOTAS):
    """The kind of refusal with which a command ends, None if it is done."""
    work = MemoryUnitOfWork(tables, NOW, quotas)
    endpoint = ENDPOINTS[type(command)]
    try:
        if endpoint.check is not None:
            endpoint.check(command)
        await HANDLERS[type(command)](command, work, NOW)
    except Refusal as refusal:
        return type(refusal)
    return None


@pytest.mark.parametrize("command", ENDPOINTS, ids=lambda command: command.__name__)
async def test_an_endpoint_declares_the_refusals_of_its_handler(tables, command):
    """With each combination of known and unknown ids and texts, a command ends with a refusal that it declares, and
    each declared one is met.
    """
    fields = [field.name for field in msgspec.structs.fields(command)]
    choices = [GIVEN.get(values.RULES[name], (None,)) for name in fields]
    met = set()
    for given in itertools.product(*choices):
        made = command(**dict(zip(fields, given, strict=True)))
        for quotas in ALL_QUOTAS:
            met.add(await refusal_of(copy.deepcopy(tables), made, quotas))
    assert met - {None, Invalid} == set(ENDPOINTS[command].refusals)
