"""A Redis and a MongoDB that are slow, or that do not respond for a while, behind a proxy: a whole read-api responds
late but right, or reports in time that it cannot, and is well again without a restart.
"""

import pytest
from read_api_process import running

from cheeper_local.testing import Proxy, until
from read_api.stores.redis.reader import TIMEOUT_SECONDS

pytestmark = [pytest.mark.proves(guarantee="transient-faults"), pytest.mark.extended]

STORES = {"redis": "REDIS_URL", "mongo": "MONGO_URL"}
SLOW = {"late both ways": {"delay": 0.05}, "throttled": {"rate": 20_000}}
UNAVAILABLE = {"stalled": {"stalled": True}, "responds too late": {"delay_back": 2 * TIMEOUT_SECONDS}}


@pytest.fixture(scope="module")
def proxies(stores):
    """A proxy before each store."""
    made = {name: Proxy(("127.0.0.1", _port(stores[variable]))) for name, variable in STORES.items()}
    for proxy in made.values():
        proxy.start()
    yield made
    for proxy in made.values():
        proxy.stop()


def _port(url):
    return int(url.partition("127.0.0.1:")[2].partition("/")[0])


@pytest.fixture(scope="module")
def api(stores, proxies, tmp_path_factory):
    """A client of a read-api that reaches both stores through their proxies."""
    through = {
        variable: stores[variable].replace(f":{proxies[name].upstream[1]}", f":{proxies[name].port}")
        for name, variable in STORES.items()
    }
    with running(tmp_path_factory.mktemp("read-api") / "log", **{**stores, **through}) as (client, _):
        yield client


@pytest.fixture
def paths(shared_hot, shared_documents):
    """A path that each store serves, of an author who has three followers there."""
    author = shared_documents.sign_up(followers=3, following=0, cheeps=0)
    shared_hot.author(author, username="bob", followers=3)
    return {"redis": f"/author/{author}/followers-counter", "mongo": f"/author/{author}"}


def followers_or_error(api, path):
    """Return the author's number of followers, or the status and code of the error."""
    reply = api.get(path)
    data = reply.json()["data"]
    if reply.status_code == 200:
        return data.get("numberOfFollowers", data.get("followers"))
    assert reply.headers["retry-after"]
    return reply.status_code, data["code"]


def unavailable(api):
    """Return the needs that are not met according to the health page. Its status must agree."""
    reply = api.get("/health/ready")
    assert "127.0.0.1" not in reply.text
    found = {name for name, need in reply.json()["data"].items() if not need["ok"]}
    assert (reply.status_code, "retry-after" in reply.headers) == ((503, True) if found else (200, False))
    return found


@pytest.mark.parametrize("how", SLOW)
@pytest.mark.parametrize("name", STORES)
def test_a_slow_store_is_waited_for(api, proxies, paths, name, how):
    """A response of a slow store within its timeout is right, and the store is not called unavailable.

    Fails where TIMEOUT_SECONDS or TIMEOUT_MS is 20 times less.
    """
    until(lambda: not unavailable(api))
    with proxies[name].slow(**SLOW[how]):
        before = proxies[name].passed
        assert [followers_or_error(api, paths[name]) for _ in range(5)] == [3] * 5
        assert unavailable(api) == set()
        assert proxies[name].passed > before


@pytest.mark.parametrize("how", UNAVAILABLE)
@pytest.mark.parametrize("name", STORES)
def test_a_store_that_does_not_respond_is_unavailable(api, proxies, paths, name, how):
    """Its queries and the health page say so although the store never responds; those of the other store are served.

    Fails without `timeoutMS` in `stores/mongo/reader.py`; `test_connection.py` bounds the wait for Redis.
    """
    (other,) = STORES.keys() - {name}
    until(lambda: not unavailable(api))
    assert followers_or_error(api, paths[name]) == 3
    with proxies[name].slow(**UNAVAILABLE[how]):
        assert followers_or_error(api, paths[name]) == (503, "unavailable")
        until(lambda: unavailable(api) == {name})
        assert followers_or_error(api, paths[other]) == 3
    until(lambda: not unavailable(api))
    until(lambda: followers_or_error(api, paths[name]) == 3)
