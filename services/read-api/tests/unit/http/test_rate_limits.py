"""Queries under rate limits, sent as the gateway sends them."""

from urllib.parse import unquote

import httpx
import pytest
from read_api_fakes import FakeMongo, FakeMongoViews, FakeRedis, FakeRedisViews, seeds
from read_api_layout import limits
from read_api_streams import streams_of

from cheeper_contracts.http.responses import CLIENT_ADDRESS_HEADER
from cheeper_contracts.http.routes import MERGE_COST, READ_COST, SEARCH_COST
from cheeper_runtime.rate_limits.callers import LOOPBACK, Callers
from cheeper_runtime.rate_limits.limiter import RateLimiter
from cheeper_runtime.rate_limits.limits import RateLimits
from cheeper_runtime.rate_limits.policy import Policy
from read_api.bootstrap import query_bus
from read_api.http.app import build_app
from read_api.http.endpoints import ENDPOINTS
from read_api.ops.metrics import Metrics

pytestmark = pytest.mark.proves(guarantee="limits")

AUTHOR, THING = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2))
BURST = 100
OK, TOO_MANY = 200, 429
PARAMETERS = {"username": "bob", "q": "hello"}


async def nothing():
    """Close no server."""


def make(burst=BURST):
    """Return an application whose limits hardly refill."""
    redis, mongo = FakeRedis(), FakeMongo()
    seeds(redis, mongo, 1)
    bus = query_bus(FakeRedisViews(redis), FakeMongoViews(mongo), Metrics(), limits())
    general = RateLimiter(Policy(name="default", burst=burst, per_second=1e-6))
    rate_limits = RateLimits(general, Callers(LOOPBACK, CLIENT_ADDRESS_HEADER.lower().encode()))
    streams = streams_of(FakeRedisViews(redis), limits(), Metrics())
    return build_app(bus, streams, {}, nothing, Metrics(), {}, rate_limits=rate_limits)


async def send(app, path, *, method="GET", address="1.2.3.4", peer="127.0.0.1", **headers):
    """Send a request as the gateway does, for a client at this address."""
    transport = httpx.ASGITransport(app=app, client=(peer, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.request(method, path, headers={CLIENT_ADDRESS_HEADER: address, **headers})


async def drained():
    """Return an application whose client 1.2.3.4 has used up its bucket."""
    app = make(burst=3)
    for _ in range(3):
        assert (await send(app, f"/author/{AUTHOR}")).status_code != TOO_MANY
    return app


def remaining(response):
    return int(response.headers["ratelimit"].partition("r=")[2].partition(";")[0])


@pytest.mark.parametrize("row", ENDPOINTS, ids=lambda row: row.query.__name__)
async def test_each_query_takes_the_cost_of_its_route(row):
    """A query takes what its route declares, and puts back what it did not need."""
    path = row.route.path.format(author_id=AUTHOR, cheep_id=THING, message_id=THING)
    needed = {each.name: PARAMETERS[each.name] for each in row.parameters if each.name in PARAMETERS}
    path += "".join(f"?{name}={value}" for name, value in needed.items())
    response = await send(make(), path)
    assert BURST - remaining(response) == row.route.query_cost - (0 if response.status_code != OK else row.route.refund)
    assert response.headers["ratelimit-policy"].startswith(f'"default";q={BURST};w=')


async def test_a_refusal_has_the_time_after_which_to_retry():
    """A caller without enough units gets 429 with Retry-After and the two fields, and nothing is looked up."""
    response = await send(await drained(), f"/author/{AUTHOR}")
    assert response.status_code == TOO_MANY
    assert response.json()["data"] == {"message": "You have sent too many requests", "code": "rate_limited"}
    assert int(response.headers["retry-after"]) >= 1
    assert remaining(response) == 0
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "given"),
    [
        pytest.param(f"/author/{AUTHOR}", {"X_Forwarded_For": "6.6.6.6"}, id="X-Forwarded-For"),
        pytest.param(f"/author/{AUTHOR}", {"Forwarded": "for=6.6.6.6"}, id="Forwarded"),
        pytest.param(f"/author/{AUTHOR}", {"X_Real_IP": "6.6.6.6"}, id="X-Real-IP"),
        pytest.param(f"/author/{AUTHOR}", {"address": "::ffff:1.2.3.4"}, id="IPv4 in IPv6"),
        pytest.param(f"/author/{AUTHOR}", {"method": "HEAD"}, id="HEAD"),
        pytest.param(f"/%61uthor/{AUTHOR}", {}, id="percent-encoding"),
        pytest.param(f"/author/{AUTHOR.upper()}", {}, id="upper case"),
        pytest.param(f"/author/{AUTHOR}?x=1", {}, id="another query string"),
        pytest.param("/author/nobody", {}, id="a wrong id"),
        pytest.param(f"/author/{AUTHOR}", {"Authorization": "Bearer x"}, id="a token in open mode"),
        pytest.param(f"/author/{AUTHOR}", {"If_None_Match": "*"}, id="If-None-Match"),
        pytest.param(f"/author/{AUTHOR}", {"Connection": "close"}, id="a new connection"),
    ],
)
async def test_no_trick_makes_another_caller(path, given):
    """A client whose bucket is empty is refused, whatever else it changes about its request."""
    response = await send(await drained(), path, **given)
    assert (response.status_code, unquote(path)[:8]) == (TOO_MANY, "/author/")


async def test_addresses_of_one_network_are_one_client():
    """The addresses of one /64 share a bucket, and another /64 has its own."""
    app = make(burst=3)
    for host in range(3):
        assert (await send(app, f"/author/{AUTHOR}", address=f"2001:db8::{host}")).status_code != TOO_MANY
    assert (await send(app, f"/author/{AUTHOR}", address="2001:db8::ffff:1")).status_code == TOO_MANY
    assert (await send(app, f"/author/{AUTHOR}", address="2001:db8:0:1::1")).status_code != TOO_MANY


async def test_only_the_gateway_names_a_client():
    """A program that reaches the port from elsewhere is counted by its own address, whatever address it sends."""
    app = make(burst=3)
    for n in range(3):
        await send(app, f"/author/{AUTHOR}", address=f"1.2.3.{n}", peer="10.0.0.9")
    response = await send(app, f"/author/{AUTHOR}", address="1.2.3.99", peer="10.0.0.9")
    assert response.status_code == TOO_MANY


async def test_the_process_s_own_pages_have_no_limit():
    """Probes and scrapes are never refused."""
    app = await drained()
    assert {(await send(app, path)).status_code for path in ("/health/live", "/metrics")} == {OK}


def test_the_costs_are_those_of_the_page():
    """The costs are those that docs/api.md states."""
    assert (READ_COST, MERGE_COST, SEARCH_COST) == (1, 10, 20)
