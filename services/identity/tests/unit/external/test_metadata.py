import pytest

from cheeper_runtime.tokens.testing import MemoryProvider
from identity.external.attempts import new_attempt
from identity.external.metadata import FRESH_SECONDS, RETRY_SECONDS
from identity.external.sign_in import ProviderUnavailableError

URL = "https://id.example.org"


class Counted(MemoryProvider):
    """A provider that counts the requests for its metadata."""

    asked = 0

    def respond(self, method, path, headers, body):
        self.asked += path.endswith("openid-configuration")
        return super().respond(method, path, headers, body)


@pytest.fixture
def memory():
    return Counted(URL, redirect_uri="https://cheeper.example.org/")


@pytest.fixture
def clock():
    return [1000.0]


@pytest.fixture
def begin(memory, clock, as_provider):
    """Begins an attempt, for which the metadata must be known."""
    provider = as_provider(memory, clock=lambda: clock[0])
    return lambda: provider.authorization_url(new_attempt())


async def test_metadata_is_fetched_when_it_is_first_needed_and_kept(memory, clock, begin):
    """An hour's sign-ins need one fetch, and a provider that is unavailable meanwhile is not noticed."""
    assert memory.asked == 0
    await begin()
    memory.available = False
    clock[0] += FRESH_SECONDS - 1
    await begin()
    assert memory.asked == 1
    clock[0] += 1
    await begin()
    assert memory.asked == 2


async def test_an_unavailable_provider_is_asked_at_an_interval(memory, clock, begin):
    """Sign-ins that fail at once do not wait for the provider again within 10 s, and succeed once it is back."""
    memory.available = False
    for _ in range(3):
        with pytest.raises(ProviderUnavailableError):
            await begin()
    assert memory.asked == 1
    memory.available = True
    clock[0] += RETRY_SECONDS
    await begin()
    assert memory.asked == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://other.example.org"},
        {"issuer": f"{URL}/"},
        {"issuer": 1},
        {"token_endpoint": "http://id.example.org/token"},
        {"token_endpoint": "http://127.0.0.1/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": None},
    ],
)
async def test_wrong_metadata_is_of_no_use(memory, begin, changes):
    """A provider that names another issuer, or a URL to which nothing secret may go, signs nobody in."""
    memory.metadata |= changes
    with pytest.raises(ProviderUnavailableError):
        await begin()
