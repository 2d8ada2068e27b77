"""The matrix of read-api: every query with every token, with the status that each must have."""

from functools import partial

import httpx
import pytest
from read_api_fakes import FakeMongo, FakeMongoViews, FakeRedis, FakeRedisViews, seeds
from read_api_layout import limits
from read_api_streams import streams_of

from cheeper_contracts.actors import ANYONE, SENDER
from cheeper_runtime.tokens.key_set import KeySet
from cheeper_runtime.tokens.testing import MemoryIssuer
from cheeper_runtime.tokens.verifier import Verifier
from read_api.bootstrap import query_bus
from read_api.http.app import build_app
from read_api.http.endpoints import ENDPOINTS
from read_api.ops.metrics import Metrics

pytestmark = pytest.mark.proves(guarantee="identity")

AUTHOR, OTHER, THING = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
ISSUER = MemoryIssuer()
BAD = ISSUER.bad_tokens(AUTHOR)
UNAUTHENTICATED, NOT_ALLOWED, NOT_FOUND, UNAVAILABLE, OK = 401, 403, 404, 503, 200
PUBLIC = [row for row in ENDPOINTS if row.route.reader == ANYONE]
PRIVATE = [row for row in ENDPOINTS if row.route.reader != ANYONE]
PARAMETERS = {"username": "bob", "q": "hello"}


def query_of(row):
    return row.query.__name__


def path_of(row):
    path = row.route.path.format(author_id=AUTHOR, cheep_id=THING, message_id=THING)
    needed = [each.name for each in row.parameters if each.name in PARAMETERS]
    return path + "".join(f"?{name}={PARAMETERS[name]}" for name in needed)


async def nothing():
    """Close no server."""


async def get(app, path, token):
    """Return the response."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
        return await client.get(path, headers={} if token is None else {"Authorization": f"Bearer {token}"})


def app_of(issuer=ISSUER):
    redis, mongo = FakeRedis(), FakeMongo()
    hot, _ = seeds(redis, mongo, 1)
    hot.command(THING, key=AUTHOR, sequence=1)
    bus = query_bus(FakeRedisViews(redis), FakeMongoViews(mongo), Metrics(), limits())
    streams = streams_of(FakeRedisViews(redis), limits(), Metrics())
    verifier = Verifier([issuer.issuer], key_set=partial(KeySet, fetch_set=issuer.fetch))
    return build_app(bus, streams, {}, nothing, Metrics(), {}, verifier=verifier)


@pytest.fixture(scope="module")
def app():
    """Return an application, which queries do not change, and which takes long to make."""
    return app_of()


async def status(app, row, token=None):
    """Return the status and the code of the response, None if it has none."""
    response = await get(app, path_of(row), token)
    return response.status_code, response.json()["data"].get("code")


@pytest.mark.parametrize("row", PUBLIC, ids=query_of)
async def test_a_public_query_needs_no_token(app, row):
    """Anybody may read what is public; a bad token is as none."""
    without = await status(app, row)
    assert without[0] in {OK, NOT_FOUND}
    assert {await status(app, row, token) for token in (*BAD.values(), ISSUER.token(OTHER))} == {without}


@pytest.mark.parametrize("row", PRIVATE, ids=query_of)
@pytest.mark.parametrize("name", [None, *BAD])
async def test_a_private_query_needs_a_good_token(app, row, name):
    """Without a token, and with a bad one, the response is the challenge."""
    assert await status(app, row, name and BAD[name]) == (UNAUTHENTICATED, "unauthenticated")
    headers = (await get(app, path_of(row), name and BAD[name])).headers
    assert headers["www-authenticate"].startswith("Bearer ")
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("row", PRIVATE, ids=query_of)
async def test_a_private_query_is_for_its_author(app, row):
    """Another author is refused, or learns no more of a command than if there was none."""
    refused = (NOT_FOUND, "command_not_found") if row.route.reader == SENDER else (NOT_ALLOWED, "not_allowed")
    assert await status(app, row, ISSUER.token(OTHER)) == refused
    assert (await status(app, row, ISSUER.token(AUTHOR)))[0] not in {UNAUTHENTICATED, NOT_ALLOWED}


async def test_a_command_is_shown_to_its_sender(app):
    """The status of a command is there for the author who sent it."""
    (row,) = (row for row in PRIVATE if row.route.reader == SENDER)
    assert (await status(app, row, ISSUER.token(AUTHOR)))[0] == OK


@pytest.mark.parametrize("row", ENDPOINTS, ids=query_of)
async def test_unavailable_keys_stop_no_public_query(row):
    """While the issuer's keys have never been had, only what needs a caller gets 503."""
    issuer = MemoryIssuer()
    issuer.available = False
    found, _ = await status(app_of(issuer), row, issuer.token(AUTHOR))
    assert (found == UNAVAILABLE) is (row in PRIVATE)
