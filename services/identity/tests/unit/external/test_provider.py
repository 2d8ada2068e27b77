import io
from urllib.parse import parse_qs, urlsplit

import pytest

from cheeper_runtime import logs
from cheeper_runtime.tokens.key_set import FETCH_INTERVAL_SECONDS
from cheeper_runtime.tokens.testing import MemoryProvider
from identity.domain.errors import WrongCredentialsError
from identity.external.attempts import new_attempt
from identity.external.sign_in import ProviderUnavailableError

pytestmark = pytest.mark.proves(guarantee="identity")

URL, REDIRECT_URI = "https://id.example.org", "https://cheeper.example.org/"


@pytest.fixture
def memory():
    return MemoryProvider(URL, redirect_uri=REDIRECT_URI)


@pytest.fixture
def provider(memory, as_provider):
    return as_provider(memory)


async def code_for(memory, provider, attempt):
    """The code that the provider sends the browser back with."""
    url = await provider.authorization_url(attempt)
    return parse_qs(urlsplit(memory.authorize(url)).query)["code"][0]


async def subject(memory, provider, attempt=None, iss=URL):
    attempt = attempt or new_attempt()
    return await provider.subject(attempt, await code_for(memory, provider, attempt), iss)


async def test_the_authorization_request_has_all_that_protects_it(provider):
    """The request has state, nonce and challenge of its attempt, the exact redirect URI, the least scope, and what the
    endpoint's URL has already.
    """
    attempt = new_attempt()
    url = await provider.authorization_url(attempt)
    assert url.startswith(f"{URL}/authorize?")
    assert parse_qs(urlsplit(url).query) == {
        "tenant": ["one"],
        "response_type": ["code"],
        "client_id": ["cheeper"],
        "redirect_uri": [REDIRECT_URI],
        "scope": ["openid"],
        "state": [attempt.state],
        "nonce": [attempt.nonce],
        "code_challenge": [attempt.challenge],
        "code_challenge_method": ["S256"],
    }
    assert attempt.secret not in url
    assert attempt.verifier not in url


@pytest.mark.parametrize("secret", ["", "a secret: with %+ signs"])
@pytest.mark.parametrize("methods", [None, ["client_secret_post"]])
async def test_a_code_is_exchanged_for_its_subject(memory, as_provider, tmp_path, secret, methods):
    """A client with a secret proves it as the provider wants it to, and one without has its verifier."""
    memory.secret = "" if methods else secret  # the provider in memory knows the header alone
    if methods:
        memory.metadata["token_endpoint_auth_methods_supported"] = methods
    file = tmp_path / "secret"
    file.write_text(secret)
    assert await subject(memory, as_provider(memory, file if secret else None)) == "alice"


async def test_a_wrong_secret_is_refused(memory, as_provider, tmp_path):
    """A provider that does not know the client's secret signs nobody in."""
    memory.secret = "right"
    file = tmp_path / "secret"
    file.write_text("wrong")
    with pytest.raises(WrongCredentialsError):
        await subject(memory, as_provider(memory, file))


async def test_a_code_of_another_attempt_is_refused(memory, provider):
    """A code that is brought to another attempt has another verifier, and is of no use."""
    code = await code_for(memory, provider, new_attempt())
    with pytest.raises(WrongCredentialsError):
        await provider.subject(new_attempt(), code, URL)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"nonce": "another"}, "another attempt"),
        ({"nonce": None}, "another attempt"),
        ({"nonce": 7}, "another attempt"),
        ({"aud": "another"}, "another audience"),
        ({"aud": ["cheeper", "another"]}, "another client"),
        ({"aud": ["cheeper", "another"], "azp": "another"}, "another client"),
        ({"azp": "another"}, "another client"),
        ({"iss": "https://other.example.org"}, "not valid"),
        ({"exp": 1}, "expired"),
        ({"exp": None}, "not valid"),
        ({"iat": None}, "not valid"),
        ({"sub": None}, "not valid"),
        ({"sub": ""}, "subject"),
        ({"sub": "x" * 256}, "subject"),
        ({"sub": "a\0b"}, "subject"),
        ({"sub": "ali\u0441e"}, "subject"),
    ],
)
async def test_a_wrong_id_token_is_refused(memory, provider, claims, reason):
    """Each claim of an ID token that is not as it must be is refused; the log alone has the reason."""
    memory.id_claims = claims
    lines = io.TextIOWrapper(io.BytesIO())
    logs.configure("identity", "json", "debug", stream=lines)
    with pytest.raises(WrongCredentialsError) as refused:
        await subject(memory, provider)
    assert refused.value.message.endswith("begin anew")
    assert reason in lines.buffer.getvalue().decode()


@pytest.mark.parametrize(
    "claims", [{"aud": ["cheeper"]}, {"azp": "cheeper"}, {"aud": ["cheeper", "x"], "azp": "cheeper"}]
)
async def test_an_id_token_for_this_client_is_accepted(memory, provider, claims):
    """The audience may be a list, if the party that the token is for is this client."""
    memory.id_claims = claims
    assert await subject(memory, provider) == "alice"


@pytest.mark.parametrize("name", sorted(MemoryProvider(URL).bad_tokens("alice")))
async def test_a_bad_token_is_no_id_token(memory, provider, monkeypatch, name):
    """Each of the tricks by which tokens are forged is refused in an ID token too."""
    attempt = new_attempt()
    code = await code_for(memory, provider, attempt)
    bad = memory.bad_tokens("alice")[name]
    monkeypatch.setattr(memory, "token", lambda *_, **__: bad)
    with pytest.raises(WrongCredentialsError):
        await provider.subject(attempt, code, URL)


@pytest.mark.parametrize(("names_itself", "iss"), [(True, None), (True, "https://x.example.org"), (False, f"{URL}/")])
async def test_a_response_of_another_issuer_is_refused(memory, provider, names_itself, iss):
    """By RFC 9207 a response names its issuer if the provider says so, and never another one. No code is sent then."""
    memory.metadata["authorization_response_iss_parameter_supported"] = names_itself
    attempt = new_attempt()
    code = await code_for(memory, provider, attempt)
    with pytest.raises(WrongCredentialsError):
        await provider.subject(attempt, code, iss)
    assert await provider.subject(attempt, code, URL) == "alice"


async def test_a_provider_need_not_name_itself(memory, provider):
    """A provider without RFC 9207 is used without it."""
    memory.metadata["authorization_response_iss_parameter_supported"] = False
    assert await subject(memory, provider, iss=None) == "alice"


async def test_keys_rotate(memory, as_provider):
    """A new key of the provider is fetched once it is met, at most once in 10 s, and the provider needs no restart."""
    now = [1000.0]
    provider = as_provider(memory, clock=lambda: now[0])
    for _ in range(3):
        assert await subject(memory, provider) == "alice"
        memory.rotate()
        with pytest.raises(WrongCredentialsError):
            await subject(memory, provider)
        now[0] += FETCH_INTERVAL_SECONDS
    assert await subject(memory, provider) == "alice"
    assert memory.fetches == 4


async def test_an_unavailable_provider_is_reported(memory, provider):
    """A provider that fails, before or after its metadata is known, is unavailable, which is no wrong proof."""
    memory.available = False
    with pytest.raises(ProviderUnavailableError):
        await provider.authorization_url(new_attempt())


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, ProviderUnavailableError), (429, ProviderUnavailableError), (403, WrongCredentialsError)],
)
async def test_a_refusal_of_a_code(memory, provider, monkeypatch, status, error):
    """A fault of the provider's own is distinct from a code that it refuses."""
    attempt = new_attempt()
    code = await code_for(memory, provider, attempt)
    monkeypatch.setattr(memory, "respond", lambda *_: (status, {}, b"{}"))
    with pytest.raises(error):
        await provider.subject(attempt, code, URL)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"id_token": 1}', b'{"access_token": "x"}', b"\xff"])
async def test_a_response_without_an_id_token_is_of_no_use(memory, provider, monkeypatch, body):
    """Whatever a provider responds to a code with, it leads to a refusal and to no defect."""
    attempt = new_attempt()
    code = await code_for(memory, provider, attempt)
    monkeypatch.setattr(memory, "respond", lambda *_: (200, {}, body))
    with pytest.raises(ProviderUnavailableError):
        await provider.subject(attempt, code, URL)


async def test_no_log_has_a_code_or_token(memory, provider):
    """A refusal is in the log with its reason, and with nothing of the code, its tokens or the secret."""
    lines = io.TextIOWrapper(io.BytesIO())
    logs.configure("identity", "json", "debug", stream=lines)
    attempt = new_attempt()
    code = await code_for(memory, provider, attempt)
    assert await provider.subject(attempt, code, URL)
    with pytest.raises(WrongCredentialsError):
        await provider.subject(attempt, code, URL)
    logged = lines.buffer.getvalue().decode()
    assert "refused with status 400" in logged
    kept = (code, attempt.secret, attempt.verifier, attempt.state, "eyJ", "alice")
    assert not [value for value in kept if value in logged]
