"""Commands under rate limits, sent as the gateway sends them."""

from functools import partial

import httpx
import msgspec
import pytest
from prometheus_client import CollectorRegistry

from cheeper_contracts.actors import ANYONE
from cheeper_contracts.catalogue import COMMANDS
from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.http.responses import CLIENT_ADDRESS_HEADER
from cheeper_contracts.http.routes import FOLLOW_COST, POST_COST, SIGN_UPS
from cheeper_runtime.rate_limits.callers import LOOPBACK, Callers
from cheeper_runtime.rate_limits.limiter import RateLimiter
from cheeper_runtime.rate_limits.limits import RateLimits
from cheeper_runtime.rate_limits.policy import Policy
from cheeper_runtime.tokens.key_set import KeySet
from cheeper_runtime.tokens.testing import MemoryIssuer
from cheeper_runtime.tokens.verifier import Verifier
from write_api.bus.bus import CommandBus
from write_api.bus.dispatcher import Dispatcher, Transport
from write_api.bus.limits import Limits
from write_api.features import ENDPOINTS, HANDLERS
from write_api.http.app import create_app
from write_api.testing import MemoryTransactions

pytestmark = pytest.mark.proves(guarantee="limits")

BURST = 30
AUTHOR, OTHER, THING = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
GIVEN = {"username": "bob", "email": "bob@example.org", "message": "Hello", "name": "Bob"}
ISSUER = MemoryIssuer()
TOO_MANY, UNAUTHENTICATED = 429, 401


class Service:
    """The application over a write model in memory, whose limits hardly refill."""

    def __init__(self, *, sign_ups=1000, tokens=False):
        self.transactions = MemoryTransactions()
        bus = CommandBus(self.transactions.begin, lambda: None, HANDLERS, source="/http")
        limits = Limits.of(database=1, broker=1, queue_seconds=1)
        dispatcher = Dispatcher(bus, dict.fromkeys(COMMANDS, Transport.SYNC), self.transactions, None, limits)
        general = RateLimiter(Policy(name="default", burst=BURST, per_second=1e-6))
        own = {SIGN_UPS: RateLimiter(Policy(name=SIGN_UPS, burst=sign_ups, per_second=1e-6))}
        rate_limits = RateLimits(general, Callers(LOOPBACK, CLIENT_ADDRESS_HEADER.lower().encode()), own)
        verifier = Verifier([ISSUER.issuer], key_set=partial(KeySet, fetch_set=ISSUER.fetch)) if tokens else None
        registry = CollectorRegistry()
        self.app = create_app(ENDPOINTS, dispatcher, {}, registry, verifier=verifier, rate_limits=rate_limits)

    async def send(self, command, *, address="1.2.3.4", token=None, **headers):
        """Send a command as the gateway does, for a client at this address."""
        endpoint = ENDPOINTS[command]
        fields = {
            field.name: GIVEN.get(field.name, THING) for field in msgspec.structs.fields(command) if field.required
        }
        if command.ACTOR != ANYONE:
            fields[command.ACTOR] = AUTHOR
        path = endpoint.route.path.format(**fields)
        rest = {name: value for name, value in fields.items() if f"{{{name}}}" not in endpoint.route.path}
        given = {"params": rest} if endpoint.method == "DELETE" else {"json": rest}
        headers = {name.replace("_", "-"): value for name, value in headers.items()} | {CLIENT_ADDRESS_HEADER: address}
        headers |= {} if token is None else {"Authorization": f"Bearer {token}"}
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(endpoint.method, path, headers=headers, **given)

    async def drain(self, **sent):
        """Use up the bucket of a caller."""
        for _ in range(BURST // FOLLOW_COST):
            assert (await self.send(Follow, **sent)).status_code != TOO_MANY


@pytest.mark.parametrize("command", ENDPOINTS, ids=lambda command: command.__name__)
async def test_each_command_takes_the_cost_of_its_route(command):
    """A command takes what its route declares, whether it is accepted or refused."""
    response = await Service().send(command)
    cost = ENDPOINTS[command].route.command_cost
    assert response.headers["ratelimit"].startswith(f'"default";r={BURST - cost};t=')
    assert response.headers["ratelimit-policy"].startswith(f'"default";q={BURST};w=')


async def test_a_refusal_does_nothing_and_names_the_time_to_retry():
    """A caller without enough units gets 429 with Retry-After and the fields, and leaves no trace."""
    service = Service()
    await service.drain()
    before = len(service.transactions.tables.commands), len(service.transactions.tables.outbox)
    response = await service.send(PostCheep)
    assert (response.status_code, response.json()["data"]["code"]) == (TOO_MANY, "rate_limited")
    assert int(response.headers["retry-after"]) >= 1
    assert response.headers["ratelimit"].startswith('"default";r=0;t=')
    assert (len(service.transactions.tables.commands), len(service.transactions.tables.outbox)) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Forwarded_For": "6.6.6.6"},
        {"Forwarded": "for=6.6.6.6"},
        {"X_Real_IP": "6.6.6.6"},
        {"address": "::ffff:1.2.3.4"},
        {"Idempotency_Key": THING},
        {"Content_Type": "text/plain"},
    ],
    ids=lambda headers: next(iter(headers)),
)
async def test_no_trick_makes_another_caller(headers):
    """A client whose bucket is empty is refused, whatever else it changes about its request."""
    service = Service()
    await service.drain()
    assert (await service.send(PostCheep, **headers)).status_code == TOO_MANY


async def test_an_actor_has_a_bucket_wherever_it_is():
    """With tokens the actor is the caller: its addresses share a bucket, and another actor there has its own."""
    service = Service(tokens=True)
    token = ISSUER.token(AUTHOR)
    await service.drain(token=token)
    assert (await service.send(PostCheep, token=token, address="9.9.9.9")).status_code == TOO_MANY
    assert (await service.send(PostCheep, token=ISSUER.token(OTHER))).status_code != TOO_MANY


async def test_bad_tokens_count_for_the_address():
    """A flood without a valid token is one client's, whatever its tokens are."""
    service = Service(tokens=True)
    for bad in list(ISSUER.bad_tokens(AUTHOR).values())[: BURST // POST_COST]:
        assert (await service.send(PostCheep, token=bad)).status_code == UNAUTHENTICATED
    while (response := await service.send(PostCheep)).status_code == UNAUTHENTICATED:
        continue
    assert response.status_code == TOO_MANY


async def test_sign_ups_have_a_limit_of_their_own():
    """One address signs up only so many authors, with any number of accounts, and may still do everything else."""
    service = Service(sign_ups=2)
    for _ in range(2):
        assert (await service.send(SignUp)).status_code != TOO_MANY
    response = await service.send(SignUp)
    assert response.status_code == TOO_MANY
    assert ', "sign-up";r=0;t=' in response.headers["ratelimit"]
    assert (await service.send(PostCheep)).status_code != TOO_MANY
    assert (await service.send(SignUp, address="1.2.3.5")).status_code != TOO_MANY
