"""The whole system with rate limits, attacked through the gateway by one client that has used all of its units.

Nothing flows in while these tests run: the units that one request needs take minutes.
"""

import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from cheeper_contracts.http.routes import POST_COST
from cheeper_local.running import RunningStack
from cheeper_local.waiting import until

pytestmark = [
    pytest.mark.local,
    pytest.mark.extended,
    pytest.mark.proves(guarantee="limits"),
    pytest.mark.takes(seconds=3),
]

BURST, SIGN_UPS, EXCESS = 200, 2, 1.2
OK, TOO_MANY = 200, 429
THREADS, EACH = 8, 60
SETTINGS = {
    "LIMITS": "on",
    "LIMIT_BURST": str(BURST),
    "LIMIT_PER_MINUTE": "1",
    "SIGN_UPS_BURST": str(SIGN_UPS),
    "SIGN_UPS_PER_HOUR": "1",
    "READ_API_REPLICAS": "2",
}
AUTHOR = "3b9a4e5c-52f1-4d0e-8c55-6f1f5a0c2d11"
QUERY = f"/author/{AUTHOR}"
PAGE = f"{QUERY}/timeline"
CHOSEN = ("X-Forwarded-For", "X-Client-Address", "x_client_address", "X-Real-IP", "Forwarded", "True-Client-IP")


@pytest.fixture(scope="module")
def stack():
    """Yield a stack of the module's own, all of whose replicas share their limits."""
    with RunningStack.temporary(environment=SETTINGS) as stack:
        ports = [each["port"] for each in stack.processes().values() if each["role"] in {"read-api", "write-api"}]
        assert len(ports) == 3
        until(lambda: all(shares(port) for port in ports))
        yield stack


def shares(port):
    """Return whether the process at this port shares its limits with the others."""
    lines = httpx.get(f"http://127.0.0.1:{port}/metrics").text.splitlines()
    values = [line.split()[-1] for line in lines if "_rate_limit_shared{" in line]
    return bool(values) and set(values) == {"1.0"}


@pytest.fixture(scope="module")
def client(stack):
    with httpx.Client(base_url=stack.gateway) as client:
        yield client


def sign_up(client):
    name = f"u{uuid.uuid4().hex[:12]}"
    return client.post("/author", json={"username": name, "email": f"{name}@example.com"})


def flood(client):
    """Send many queries at once, each of one unit. Return the number that was not refused."""

    def send(_):
        return sum(client.get(QUERY).status_code != TOO_MANY for _ in range(EACH))

    with ThreadPoolExecutor(THREADS) as threads:
        return sum(threads.map(send, range(THREADS)))


@pytest.fixture(scope="module")
def used(client):
    """Return the units that the client got of all replicas, each of which has refused it in the end."""
    assert [sign_up(client).status_code == TOO_MANY for _ in range(SIGN_UPS + 1)] == [False] * SIGN_UPS + [True]
    units = SIGN_UPS * POST_COST + flood(client)
    while client.put(f"{QUERY}/email", json={"email": "a@example.com"}).status_code != TOO_MANY:
        units += POST_COST
        assert units < 2 * BURST
    return units


@pytest.fixture
def drained(client, used):
    """Return the client, which has used all of its units."""
    assert used
    return client


def test_replicas_admit_together_what_one_would(used):
    """Two replicas of read-api and one of write-api, flooded through the gateway, admit one bucket within a fifth."""
    assert BURST / EXCESS <= used <= BURST * EXCESS


@pytest.mark.parametrize(("method", "path"), [("GET", PAGE), ("PUT", f"{QUERY}/email")])
def test_a_refusal_has_the_time_after_which_to_retry(drained, method, path):
    """Both services refuse with the same code, the time after which there is enough, and the policy."""
    response = drained.request(method, path, json={"email": "a@example.com"} if method == "PUT" else None)
    assert (response.status_code, response.json()["data"]["code"]) == (TOO_MANY, "rate_limited")
    assert int(response.headers["retry-after"]) >= 1
    assert response.headers["ratelimit"].startswith('"default";r=')
    assert response.headers["ratelimit-policy"] == f'"default";q={BURST};w={BURST * 60}'


@pytest.mark.parametrize("header", CHOSEN)
def test_no_header_makes_another_client(drained, header):
    """A client does not choose its address, for queries and for commands."""
    for number in range(3):
        headers = {header: f"{'for=' if header == 'Forwarded' else ''}6.6.6.{number}"}
        assert drained.get(PAGE, headers=headers).status_code == TOO_MANY
        body = {"author_id": AUTHOR, "message": "Hello"}
        assert drained.post("/cheep", json=body, headers=headers).status_code == TOO_MANY


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/chapter7{PAGE}"),
        ("HEAD", PAGE),
        ("GET", f"/author/{AUTHOR.upper()}/timeline"),
        ("GET", f"/%61uthor/{AUTHOR}/timeline"),
        ("GET", f"{PAGE}?x=%20"),
        ("GET", "/search?q=hello"),
        ("POST", "/chapter7/cheep"),
        ("POST", "/%63heep"),
        ("DELETE", f"/author/{AUTHOR}/following/{AUTHOR}"),
    ],
)
def test_no_form_of_a_request_is_free(drained, method, path):
    """The same request in another form takes from the same bucket."""
    assert drained.request(method, path).status_code == TOO_MANY


def test_a_new_connection_is_the_same_client(drained):
    """A bucket does not belong to a connection."""
    with httpx.Client(base_url=drained.base_url, headers={"Connection": "close"}) as other:
        assert [other.get(PAGE).status_code for _ in range(5)] == [TOO_MANY] * 5


def test_health_has_no_limit(drained):
    """Whoever watches the system is not refused."""
    assert {drained.get("/health").status_code for _ in range(20)} == {OK}
