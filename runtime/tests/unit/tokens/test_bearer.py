from functools import partial

import pytest

from cheeper_runtime.tokens.bearer import Authentication, UnauthenticatedError, authenticate, unsafe
from cheeper_runtime.tokens.errors import KeysUnavailableError
from cheeper_runtime.tokens.key_set import KeySet
from cheeper_runtime.tokens.testing import MemoryIssuer
from cheeper_runtime.tokens.verifier import Verifier

CALLER = "a64a52cc-3ee9-4a15-918b-099e18b43119"
ISSUER = MemoryIssuer()
GOOD = ISSUER.token(CALLER).encode()


async def of(*values):
    verifier = Verifier([ISSUER.issuer], key_set=partial(KeySet, fetch_set=ISSUER.fetch))
    return await authenticate(verifier, [(b"authorization", value) for value in values])


@pytest.mark.parametrize("scheme", [b"Bearer ", b"bearer ", b"BEARER  "])
async def test_a_caller_shows_a_token(scheme):
    """The name of the scheme is in any case."""
    assert (await of(scheme + GOOD)).required() == CALLER


async def test_without_a_token_there_is_no_caller():
    """A request without the header is refused only where a caller is needed, with the bare challenge."""
    with pytest.raises(UnauthenticatedError) as refused:
        (await of()).required()
    assert refused.value.challenge == 'Bearer realm="api"'


@pytest.mark.parametrize(
    "values", [(b"Basic YTpi",), (b"Bearer",), (b"Bearer ",), (b"Bearer " + GOOD, b"Bearer " + GOOD), (b"\xff\xfe",)]
)
async def test_a_wrong_header_is_refused(values):
    """Another scheme, an empty token and two headers name no caller: a proxy could have read either."""
    with pytest.raises(UnauthenticatedError) as refused:
        (await of(*values)).required()
    assert 'error="invalid_token"' in refused.value.challenge


def test_unknown_keys_are_no_fault_of_the_token():
    """A caller whose issuer is unavailable is asked to come back, and not to sign in anew."""
    with pytest.raises(KeysUnavailableError):
        Authentication(error=KeysUnavailableError()).required()


@pytest.mark.parametrize(
    ("mode", "issuers", "gateway", "reason"),
    [
        ("open", (), "127.0.0.1", None),
        ("open", (), "localhost", None),
        ("open", (), "0.0.0.0", "AUTH=tokens"),  # noqa: S104 - it is what must be refused
        ("open", (), "", "AUTH=tokens"),
        ("tokens", (), "127.0.0.1", "ISSUERS"),
        ("tokens", (ISSUER.issuer,), "0.0.0.0", None),  # noqa: S104 - with tokens it is allowed
    ],
)
def test_an_open_api_is_not_for_others(mode, issuers, gateway, reason):
    """Without tokens, only programs on the same machine reach the gateway; the refusal says what to do."""
    found = unsafe(mode, issuers, gateway)
    assert found is None if reason is None else reason in found
