"""The matrix of identity: every route with every proof of who somebody is, with the status that each must have."""

from urllib.parse import parse_qs, urlsplit

import pytest

from cheeper_runtime.tokens.testing import MemoryIssuer
from identity.domain.accounts import CODE_SECONDS
from identity.domain.refresh import GRACE_SECONDS, IDLE_SECONDS
from identity.external.attempts import ATTEMPT_SECONDS

pytestmark = pytest.mark.proves(guarantee="identity")

ANN, EVE = "ann@example.org", "eve@example.org"
PASSWORD, EVES_PASSWORD, NEW_PASSWORD = "a password of Ann", "a password of Eve", "another one of hers"
CLIENT = "192.0.2.1"
REFUSED = 401
STRANGER = MemoryIssuer("https://cheeper.example.org")
BEARERS = {**STRANGER.bad_tokens("00000000-0000-4000-8000-000000000001"), "a good form": STRANGER.token("system")}


class World:
    """Two accounts, Ann's and Eve's, a session of each, and what one of them may have kept of another time."""

    def __init__(self, service):
        self.service = service

    async def make(self):
        _, self.anns = await self.service.account(ANN, PASSWORD)
        _, self.eves = await self.service.account(EVE, EVES_PASSWORD)

    async def used(self):
        """A refresh token of Ann's that was used, and not just now."""
        await self.service.sessions.refresh(self.anns.refresh_token)
        self.service.now += GRACE_SECONDS + 1
        return self.anns.refresh_token

    async def revoked(self):
        """The newest refresh token of a session whose old one was used again."""
        newest = await self.service.sessions.refresh(self.anns.refresh_token)
        self.service.now += GRACE_SECONDS + 1
        await self.service.sessions.end(self.anns.refresh_token)
        return newest.refresh_token

    async def ended(self):
        await self.service.sessions.end(self.anns.refresh_token)
        return self.anns.refresh_token

    async def idle(self):
        self.service.now += IDLE_SECONDS + 1
        return self.anns.refresh_token

    async def mixed(self):
        """The id of Ann's session with the secret of Eve's."""
        return f"{self.anns.refresh_token.partition('.')[0]}.{self.eves.refresh_token.partition('.')[2]}"

    async def code(self, email, seconds=0):
        await self.service.accounts.send_code(email, CLIENT)
        self.service.now += seconds
        return self.service.mailer.code()

    async def used_code(self):
        code = await self.code(ANN)
        await self.service.accounts.set_password(ANN, code, PASSWORD)
        return code

    async def back(self, seconds=0, **changed):
        """The body of a browser that comes back from the provider."""
        begun = await self.service.external.begin("example", CLIENT)
        query = parse_qs(urlsplit(self.service.provider.authorize(begun.url)).query)
        self.service.now += seconds
        return {"secret": begun.secret, **{name: query[name][0] for name in ("state", "code", "iss")}} | changed


def signing_in(email, password):
    async def body(_world):
        return {"email": email, "password": password}

    return body


def refreshing(name):
    async def body(world):
        kept = getattr(world, name)
        return {"refresh_token": await kept() if callable(kept) else kept.refresh_token}

    return body


def access_token(field):
    async def body(world):
        return {field: world.anns.access_token}

    return body


def changing(**proof):
    async def body(_world):
        return {"email": ANN, "new_password": NEW_PASSWORD, **proof}

    return body


def coded(name, *arguments, **options):
    async def body(world):
        return {"email": ANN, "new_password": NEW_PASSWORD, "code": await getattr(world, name)(*arguments, **options)}

    return body


def came_back(**options):
    async def body(world):
        return await world.back(**options)

    return body


async def with_state_of_another(world):
    other = await world.back()
    return {**await world.back(), "state": other["state"]}


async def with_secret_of_another(world):
    other = await world.back()
    return {**await world.back(), "secret": other["secret"]}


async def completed(world):
    body = await world.back()
    await world.client.put("/session/external", json=body)
    return body


async def an_access_token(world):
    return {"refresh_token": world.anns.access_token}


REFRESH_TOKENS = {
    "a refresh token that was used": refreshing("used"),
    "of a revoked family": refreshing("revoked"),
    "of a session that was signed out": refreshing("ended"),
    "of an idle session": refreshing("idle"),
    "of another session": refreshing("mixed"),
    "an access token": an_access_token,
}
MATRIX = {
    ("POST", "/session"): (
        201,
        {"right": signing_in(ANN, PASSWORD), "right token": refreshing("anns")},
        {
            "a wrong password": signing_in(ANN, "a wrong one"),
            "another account's password": signing_in(ANN, EVES_PASSWORD),
            "an unknown address": signing_in("nobody@example.org", PASSWORD),
            "no address": signing_in("nobody", PASSWORD),
            **REFRESH_TOKENS,
        },
    ),
    ("PUT", "/account/password"): (
        200,
        {"right": changing(password=PASSWORD), "right code": coded("code", ANN)},
        {
            "a wrong password": changing(password="a wrong one"),
            "another account's password": changing(password=EVES_PASSWORD),
            "a wrong code": changing(code="nQ7x"),
            "another address's code": coded("code", EVE),
            "an old code": coded("code", ANN, seconds=CODE_SECONDS + 1),
            "a used code": coded("used_code"),
        },
    ),
    ("PUT", "/session/external"): (
        201,
        {"right": came_back()},
        {
            "the state of another attempt": with_state_of_another,
            "the secret of another attempt": with_secret_of_another,
            "another issuer": came_back(iss="https://other.example.org"),
            "another code": came_back(code="another"),
            "an old attempt": came_back(seconds=ATTEMPT_SECONDS + 1),
            "a used attempt": completed,
        },
    ),
}
"""The status of what is right, and the bodies that are and are not, by method and path."""
ENDS = ("DELETE", "/session")
"""It responds the same to every refresh token, so that it reveals nothing."""
PUBLIC = {
    ("POST", "/account"): {"email": ANN},
    ("POST", "/session/external"): {"provider": "example"},
    ("GET", "/.well-known/jwks.json"): None,
    ("GET", "/.well-known/openid-configuration"): None,
    ENDS: {"refresh_token": "x"},
}
OWN = {"/health/live", "/health/ready", "/metrics"}
RIGHT = [(route, name) for route, (_, right, _) in MATRIX.items() for name in right]
WRONG = [(route, name) for route, (_, _, wrong) in MATRIX.items() for name in wrong]


@pytest.fixture
async def world(service, client):
    made = World(service)
    made.client = client
    await made.make()
    return made


async def request(world, route, body):
    return await world.client.request(*route, **({} if body is None else {"json": body}))


def test_the_matrix_has_every_route(service, new_app):
    """A new route of identity has its rows here, or this fails."""
    app = new_app(service)
    there = {(method, route.path) for route in app.routes for method in route.methods if route.path not in OWN}
    assert {row for row in there if row[0] != "OPTIONS"} == {*MATRIX, *PUBLIC}


@pytest.mark.parametrize(("route", "name"), RIGHT, ids=str)
async def test_a_right_proof_is_accepted(world, route, name):
    """The owner's own proof has the status of success."""
    status, right, _ = MATRIX[route]
    assert (await request(world, route, await right[name](world))).status_code == status


@pytest.mark.parametrize(("route", "name"), WRONG, ids=str)
async def test_any_other_proof_is_refused(world, route, name):
    """Whatever else somebody has is refused, with one code, and the response has nothing of it."""
    body = await MATRIX[route][2][name](world)
    response = await request(world, route, body)
    assert (response.status_code, response.json()["data"]["code"]) == (REFUSED, "wrong_credentials")
    assert not [value for value in body.values() if value in response.text]


@pytest.mark.parametrize("name", REFRESH_TOKENS)
async def test_a_sign_out_with_what_is_no_refresh_token_ends_nobodys_session(world, name):
    """The response is the same to each, and Eve's session goes on; so does Ann's unless the token names it."""
    body = await REFRESH_TOKENS[name](world)
    response = await request(world, ENDS, body)
    assert (response.status_code, response.json()["data"]) == (200, {})
    if "idle" not in name:
        assert await world.service.sessions.refresh(world.eves.refresh_token)
    if name == "an access token":
        assert await world.service.sessions.refresh(world.anns.refresh_token)


@pytest.mark.parametrize("route", PUBLIC, ids=str)
async def test_what_is_public_reads_no_token(world, route):
    """Whatever token a caller of a public route shows, the response is that to a caller without one."""
    without = await request(world, route, PUBLIC[route])
    assert without.status_code < REFUSED
    for token in BEARERS.values():
        world.service.store.state.buckets.clear()
        headers = {"Authorization": f"Bearer {token}"}
        body = {} if PUBLIC[route] is None else {"json": PUBLIC[route]}
        assert (await world.client.request(*route, headers=headers, **body)).status_code == without.status_code


@pytest.mark.parametrize("route", MATRIX, ids=str)
async def test_a_bearer_token_proves_nothing_here(world, route):
    """A valid access token of Ann's is of no use where a password, a code or a refresh token is wanted."""
    headers = {"Authorization": f"Bearer {world.anns.access_token}"}
    name, wrong = next(iter(MATRIX[route][2].items()))
    response = await world.client.request(*route, json=await wrong(world), headers=headers)
    assert response.status_code == REFUSED, name
