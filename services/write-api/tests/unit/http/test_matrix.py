"""The matrix of write-api: every command with every token, with the status that each must have."""

from functools import partial

import httpx
import msgspec
import pytest
from prometheus_client import CollectorRegistry

from cheeper_contracts.actors import SYSTEM
from cheeper_contracts.catalogue import COMMANDS
from cheeper_runtime.tokens.key_set import KeySet
from cheeper_runtime.tokens.testing import MemoryIssuer
from cheeper_runtime.tokens.verifier import Verifier
from write_api.bus.authorisation import by_declaration
from write_api.bus.bus import CommandBus
from write_api.bus.dispatcher import Dispatcher, Transport
from write_api.bus.limits import Limits
from write_api.features import ENDPOINTS, HANDLERS
from write_api.http.app import create_app
from write_api.testing import MemoryTransactions

pytestmark = pytest.mark.proves(guarantee="identity")

AUTHOR, OTHER, THING = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
KEY = "00000000-0000-4000-8000-00000000000a"
ISSUER = MemoryIssuer()
BAD = ISSUER.bad_tokens(AUTHOR)
UNAUTHENTICATED, NOT_ALLOWED, UNAVAILABLE, CONFLICT = 401, 403, 503, 409
GIVEN = {"username": "bob", "email": "bob@example.org", "message": "Hello", "name": "Bob"}
COMMANDS_OF_CLIENTS = pytest.mark.parametrize("command", ENDPOINTS, ids=lambda command: command.__name__)


class Service:
    """The application over a write model in memory, whose commands all run at once."""

    def __init__(self, issuer=ISSUER):
        self.transactions = MemoryTransactions()
        bus = CommandBus(self.transactions.begin, lambda: None, HANDLERS, source="/http", is_allowed=by_declaration)
        dispatcher = Dispatcher(
            bus,
            dict.fromkeys(COMMANDS, Transport.SYNC),
            self.transactions,
            None,
            Limits.of(database=1, broker=1, queue_seconds=1),
            is_allowed=by_declaration,
        )
        verifier = Verifier([issuer.issuer], key_set=partial(KeySet, fetch_set=issuer.fetch))
        app = create_app(ENDPOINTS, dispatcher, {}, CollectorRegistry(), verifier=verifier)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://test")

    async def send(self, command, token=None, *, actor=AUTHOR, **headers):
        """Send a command of the actor, and return the response."""
        endpoint = ENDPOINTS[command]
        fields = {
            field.name: GIVEN.get(field.name, THING) for field in msgspec.structs.fields(command) if field.required
        }
        fields[command.ACTOR] = actor
        path = endpoint.route.path.format(**fields)
        rest = {name: value for name, value in fields.items() if f"{{{name}}}" not in endpoint.route.path}
        has_body = endpoint.method != "DELETE" and any(
            f"{{{field.name}}}" not in endpoint.route.path for field in msgspec.structs.fields(command)
        )
        given = {"json": rest} if has_body else {"params": rest}
        headers |= {} if token is None else {"Authorization": f"Bearer {token}"}
        return await self.client.request(endpoint.method, path, headers=headers, **given)

    @property
    def traces(self):
        """Return what is recorded of commands."""
        return self.transactions.tables.commands, self.transactions.tables.outbox


@pytest.fixture(scope="module")
def service():
    """Return a service for requests that leave no trace: an application takes long to make."""
    return Service()


@COMMANDS_OF_CLIENTS
async def test_no_command_without_a_token(service, command):
    """A command without a token is refused, with the challenge, and leaves no trace."""
    response = await service.send(command)
    assert (response.status_code, response.json()["data"]["code"]) == (UNAUTHENTICATED, "unauthenticated")
    assert response.headers["www-authenticate"] == 'Bearer realm="api"'
    assert service.traces == ({}, [])


@COMMANDS_OF_CLIENTS
@pytest.mark.parametrize("name", BAD)
async def test_no_command_with_a_bad_token(service, command, name):
    """A bad token is as none, whatever is wrong with it, and leaves no trace."""
    response = await service.send(command, BAD[name])
    assert (response.status_code, response.json()["data"]["code"]) == (UNAUTHENTICATED, "unauthenticated")
    assert 'error="invalid_token"' in response.headers["www-authenticate"]
    assert service.traces == ({}, [])


@COMMANDS_OF_CLIENTS
async def test_no_command_of_another_author(service, command):
    """A good token of another author is refused before the handler, and leaves no trace."""
    response = await service.send(command, ISSUER.token(OTHER))
    assert (response.status_code, response.json()["data"]["code"]) == (NOT_ALLOWED, "not_allowed")
    assert service.traces == ({}, [])


@COMMANDS_OF_CLIENTS
async def test_the_author_may_send_the_command(command):
    """The right token reaches the handler, which decides by the rules of the domain."""
    service = Service()
    response = await service.send(command, ISSUER.token(AUTHOR))
    assert response.status_code not in {UNAUTHENTICATED, NOT_ALLOWED}
    assert len(service.traces[0]) == 1


@COMMANDS_OF_CLIENTS
async def test_a_key_belongs_to_its_caller(command):
    """The key of another caller is refused as used, and the response has nothing else about it."""
    service = Service()
    await service.send(command, ISSUER.token(AUTHOR), **{"Idempotency-Key": KEY})
    response = await service.send(command, ISSUER.token(OTHER), actor=OTHER, **{"Idempotency-Key": KEY})
    assert (response.status_code, response.json()["data"]["code"]) == (CONFLICT, "message_id_reused")
    assert AUTHOR not in response.text


async def test_tokens_that_cannot_be_verified_are_not_called_bad():
    """While the issuer's keys have never been had, a command gets 503: signing in anew would not help."""
    issuer = MemoryIssuer()
    issuer.available = False
    response = await Service(issuer).send(next(iter(ENDPOINTS)), issuer.token(AUTHOR))
    assert (response.status_code, response.headers["retry-after"]) == (UNAVAILABLE, "1")


def test_every_command_is_of_the_matrix_or_of_the_system():
    """A command that clients can send and the matrix leaves out, or that the system alone may send, is a hole."""
    assert {command for command in COMMANDS if command.ACTOR != SYSTEM} == set(ENDPOINTS)
