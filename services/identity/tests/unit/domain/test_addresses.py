"""E-mail addresses."""

import pytest

from identity.domain.addresses import address_of
from identity.domain.errors import InvalidError


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ann@Example.org", "ann@example.ORG"), ("a@bücher.example", "A@xn--bcher-kva.example")],
)
def test_spellings_of_one_address_share_a_form(one, other):
    """Two spellings of one address find one account."""
    assert address_of(one).unique == address_of(other).unique


def test_sharp_s_is_not_ss():
    """Two people's addresses are not one."""
    assert address_of("straße@example.org").unique != address_of("strasse@example.org").unique


@pytest.mark.parametrize(
    "text", ["", "ann", "a@b@c", "x" * 300 + "@example.org", "ann@example.org\nBcc: eve@example.org"]
)
def test_what_is_no_address_is_refused(text):
    """A line break, or another address, gets into no head of a mail."""
    with pytest.raises(InvalidError):
        address_of(text)
