"""The client's address, as the gateway passes it on to the services."""

import uuid

import pytest

pytestmark = pytest.mark.proves(guarantee="limits")


def address_of(standins, path):
    """Return the headers of a client's address that a service got, as (name, value)."""
    (request,) = [request for one in standins for request in one.requests if request["path"] == path]
    return {name: value for name, value in request["headers"].items() if name == "x-client-address"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
@pytest.mark.parametrize("prefix", ["", "/chapter7"])
def test_no_client_chooses_its_address(client, reads, writes, method, prefix):
    """Services get the address of the connection, whatever the client sends, by any method and prefix."""
    path = f"/cheep/{uuid.uuid4()}"
    chosen = {"X-Client-Address": "6.6.6.6", "X-Forwarded-For": "6.6.6.6", "Forwarded": "for=6.6.6.6"}
    client.request(method, prefix + path, headers={**chosen, "x_client_address": "6.6.6.6", "X-Real-IP": "6.6.6.6"})
    side = reads if method in {"GET", "HEAD"} else writes
    assert address_of(side, path) == {"x-client-address": "127.0.0.1"}


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("2001:db8::1", "2001:db8::1"),
        ("nonsense", "127.0.0.1"),
    ],
)
def test_a_trusted_proxy_names_the_client(start, serve, forwarded, address):
    """Behind a trusted proxy the client is the last address that the proxy did not trust, not one that it was sent."""
    path = f"/cheep/{uuid.uuid4()}"
    with serve("trusting") as one, start(READ_API=f"127.0.0.1:{one.port}", TRUSTED_PROXIES="127.0.0.0/8") as client:
        client.get(path, headers={"X-Forwarded-For": forwarded})
        assert address_of([one], path) == {"x-client-address": address}
