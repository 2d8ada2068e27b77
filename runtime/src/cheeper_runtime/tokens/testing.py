"""An issuer and an OpenID provider in memory, for tests without a server: with keys that rotate, and bad tokens too."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cheeper_runtime.tokens.issuers import Issuer

AUDIENCE: Final = "cheeper"
_HOUR: Final = 3600

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def new_key(algorithm: str) -> PrivateKey:
    """Return a new key for an algorithm."""
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


class MemoryIssuer:
    """An issuer whose key set `fetch` returns. It raises OSError while it is not `available`.

    It signs with `key` at first, a new one by default. The id of a key follows from the key.
    """

    def __init__(
        self, url: str = "https://issuer.example.org", algorithm: str = "EdDSA", key: PrivateKey | None = None
    ) -> None:
        self.issuer = Issuer(issuer=url, audience=AUDIENCE, jwks=f"{url}/jwks.json")
        self.available = True
        self.fetches = 0
        self._algorithm = algorithm
        self._keys: dict[str, PrivateKey] = {}
        self.rotate(to=key)

    def rotate(self, *, keep: bool = False, to: PrivateKey | None = None) -> str:
        """Sign with a new key from now on, or this one, and return its id. Publish older ones only if `keep` is set."""
        key = to or new_key(self._algorithm)
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        kid = f"key-{hashlib.sha256(public).hexdigest()[:16]}"
        self._keys = {**(self._keys if keep else {}), kid: key}
        self.kid = kid
        return kid

    def key_set(self) -> bytes:
        """Return the JSON Web Key Set."""
        return json.dumps({"keys": [self._published(kid) for kid in self._keys]}).encode()

    def fetch(self, issuer: Issuer) -> bytes:
        """Return the key set as `fetch.fetch` does."""
        del issuer
        self.fetches += 1
        if not self.available:
            raise OSError("the issuer is unavailable")
        return self.key_set()

    def token(self, caller: str, *, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """Return a token that is valid for an hour; `claims` and `headers` change it. A claim of None is left out."""
        signer = self._keys[self.kid]
        named = {"kid": self.kid, **(headers or {})}
        return jwt.encode(self.claims(caller, **claims), signer, algorithm=self._algorithm, headers=named)

    def claims(self, caller: str, **changed: Any) -> dict[str, Any]:
        """Return the claims of a token."""
        now = int(time.time())
        usual = {"iss": self.issuer.issuer, "aud": AUDIENCE, "sub": caller, "iat": now, "exp": now + _HOUR}
        return {name: value for name, value in (usual | changed).items() if value is not None}

    def bad_tokens(self, caller: str) -> dict[str, str]:
        """Return tokens of the caller that must all be refused, each by what is wrong with it."""
        now, stranger = int(time.time()), self._stranger
        public = self._keys[self.kid].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return {
            "expired": self.token(caller, iat=now - _HOUR, exp=now - 60),
            "not yet valid": self.token(caller, nbf=now + 600),
            "without an end": self.token(caller, exp=None),
            "another audience": self.token(caller, aud="another"),
            "without an audience": self.token(caller, aud=None),
            "another issuer": self._other.token(caller),
            "another issuer's key": stranger.token(caller, headers={"kid": self.kid}),
            "an unknown key": stranger.token(caller),
            "no algorithm": _unsigned(self.claims(caller), {"alg": "none", "kid": self.kid}),
            "HMAC with the public key": _hmac(self.claims(caller), {"alg": "HS256", "kid": self.kid}, public),
            "the URL of a key": self.token(caller, headers={"jku": stranger.issuer.jwks}),
            "the URL of a certificate": self.token(caller, headers={"x5u": stranger.issuer.jwks}),
            "a key of its own": self.token(caller, headers={"jwk": self._published(self.kid)}),
            "another subject": self.token("system"),
            "a changed claim": _forged(self.token(str(caller)), {"sub": "00000000-0000-4000-8000-000000000000"}),
            "no token at all": "bearer",
        }

    # A key of RSA takes a tenth of a second, so these two are made once.
    @cached_property
    def _stranger(self) -> MemoryIssuer:
        return MemoryIssuer(self.issuer.issuer, self._algorithm)

    @cached_property
    def _other(self) -> MemoryIssuer:
        return MemoryIssuer("https://other.example.org", self._algorithm)

    def _published(self, kid: str) -> dict[str, Any]:
        implementation = jwt.get_algorithm_by_name(self._algorithm)
        published: dict[str, Any] = json.loads(implementation.to_jwk(self._keys[kid].public_key()))
        return {**published, "kid": kid, "alg": self._algorithm, "use": "sig"}


class MemoryProvider(MemoryIssuer):
    """An OpenID provider with one client. `subject` is who signs in next, and `id_claims` change the ID tokens.

    It is as strict as OAuth 2.0 lets it be: a code is good once, for its redirect URI and its code verifier.
    """

    def __init__(self, url: str, *, client_id: str = "cheeper", secret: str = "", redirect_uri: str = "") -> None:
        super().__init__(url)
        self.subject = "alice"
        self.id_claims: dict[str, Any] = {}
        self.client_id = client_id
        self.secret = secret
        self.redirect_uri = redirect_uri
        self.metadata: dict[str, Any] = {
            "issuer": url,
            "authorization_endpoint": f"{url}/authorize?tenant=one",
            "token_endpoint": f"{url}/token",
            "jwks_uri": f"{url}/jwks.json",
            "authorization_response_iss_parameter_supported": True,
        }
        self._codes: dict[str, dict[str, str]] = {}

    def authorize(self, url: str) -> str:
        """Sign the subject in at an authorization URL, and return where the browser goes. Raise ValueError."""
        asked = {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
        wanted = {"response_type": "code", "client_id": self.client_id, "redirect_uri": self.redirect_uri}
        wanted |= {"code_challenge_method": "S256", "scope": "openid", "tenant": "one"}
        if wrong := [name for name, value in wanted.items() if asked.get(name) != value]:
            raise ValueError(f"the request has a wrong {', '.join(wrong)}")
        code = str(uuid4())
        self._codes[code] = {**asked, "subject": self.subject}
        back = {"code": code, "state": asked["state"], "iss": self.issuer.issuer}
        return f"{self.redirect_uri}?{urlencode(back)}"

    def respond(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Return the status, the headers and the body of the response to a request."""
        if not self.available:
            return 503, {}, b""
        match method, urlsplit(path).path:
            case "GET", "/.well-known/openid-configuration":
                return 200, {}, json.dumps(self.metadata).encode()
            case "GET", "/jwks.json":
                return 200, {}, self.key_set()
            case "GET", "/authorize":
                return 302, {"Location": self.authorize(path)}, b""
            case "POST", "/token":
                return self._exchange(headers.get("Authorization", ""), parse_qs(body.decode()))
        return 404, {}, b""

    def _exchange(self, login: str, form: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        sent = {name: value for name, (value,) in form.items()}
        known = f"{quote_plus(self.client_id)}:{quote_plus(self.secret)}".encode()
        if self.secret and login != f"Basic {base64.b64encode(known).decode()}":
            return 401, {}, b'{"error": "invalid_client"}'
        begun = self._codes.pop(sent["code"], None)
        challenge = _encoded(hashlib.sha256(sent["code_verifier"].encode()).digest())
        is_right = sent["grant_type"] == "authorization_code" and sent["redirect_uri"] == self.redirect_uri
        if begun is None or begun["code_challenge"] != challenge or not is_right:
            return 400, {}, b'{"error": "invalid_grant"}'
        claims: dict[str, Any] = {"aud": self.client_id, "nonce": begun["nonce"]} | self.id_claims
        response = {
            "id_token": self.token(begun["subject"], **claims),
            "access_token": "opaque",
            "token_type": "Bearer",
        }
        return 200, {}, json.dumps(response).encode()


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _unsigned(claims: dict[str, Any], header: dict[str, Any]) -> str:
    return f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(claims).encode())}."


def _hmac(claims: dict[str, Any], header: dict[str, Any], secret: bytes) -> str:
    text = _unsigned(claims, header)[:-1]
    return f"{text}.{_encoded(hmac.digest(secret, text.encode(), 'sha256'))}"


def _forged(token: str, claims: dict[str, Any]) -> str:
    header, payload, signature = token.split(".")
    known = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return f"{header}.{_encoded(json.dumps(known | claims).encode())}.{signature}"
