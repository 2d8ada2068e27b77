"""The caller of a request."""

import pytest

from cheeper_runtime.rate_limits.callers import LOOPBACK, Callers

CALLERS = Callers(LOOPBACK, b"x-client-address")
HEADER = b"x-client-address"


def client(*values, peer="127.0.0.1"):
    return CALLERS.client(peer, [(b"x-forwarded-for", b"6.6.6.6"), *((HEADER, value) for value in values)])


def test_the_gateway_names_the_client():
    """Behind the gateway a client is the one address of the gateway's header."""
    assert client(b"1.2.3.4") == "client 1.2.3.4"


def test_without_the_header_the_gateway_itself_is_the_client():
    """No other header is believed, also if the gateway passes it on."""
    assert client() == "client 127.0.0.1"


def test_only_the_gateway_and_trusted_proxies_name_a_client():
    """A request that did not come from the gateway counts for its own address, whatever it has as headers."""
    assert client(b"1.2.3.4", peer="9.9.9.9") == "client 9.9.9.9"


def test_a_network_of_ipv6_is_one_client():
    """All addresses of one /64 are one client, those of another are another."""
    same = {client(address) for address in (b"2001:db8:0:1::1", b"2001:db8:0:1:ffff::2", b"2001:DB8:0:1::3%eth0")}
    assert same == {"client 2001:db8:0:1::/64"}
    assert client(b"2001:db8:0:2::1") not in same


def test_ipv4_in_ipv6_is_ipv4():
    """An address of IPv4 is the same client in both forms, as client and as gateway."""
    assert client(b"::ffff:1.2.3.4") == client(b"1.2.3.4")
    assert client(b"1.2.3.4", peer="::ffff:127.0.0.1") == "client 1.2.3.4"


@pytest.mark.parametrize("value", [b"", b"unknown", b"1.2.3.4.5", b"\xff", b"1.2.3.4:80"])
def test_what_is_no_address_is_one_client(value):
    """Texts that are no addresses are not clients of their own."""
    assert client(value) == "client unknown"
