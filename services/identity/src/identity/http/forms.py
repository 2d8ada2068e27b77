"""The bodies of requests."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec
from litestar.exceptions import HTTPException

from identity.domain.errors import InvalidError
from identity.http.problems import AnyRequest

MAX_BODY_BYTES: Final = 4096

_T = TypeVar("_T", bound=msgspec.Struct)


class Email(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /account`."""

    email: str


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `PUT /account/password`: a new password, by the old one or by a code."""

    email: str
    new_password: str
    password: str | None = None
    code: str | None = None


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /session`: an address and its password, or a refresh token."""

    email: str | None = None
    password: str | None = None
    refresh_token: str | None = None


class ProviderChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /session/external`: the name of a provider."""

    provider: str


class ProviderResponse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `PUT /session/external`: the secret of the attempt, and the parameters with which the browser came
    back from the provider.
    """

    secret: str
    state: str
    code: str
    iss: str | None = None


class SignOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `DELETE /session`."""

    refresh_token: str


async def form(request: AnyRequest, type_: type[_T]) -> _T:
    """Return the body. Raise InvalidError or HTTPException; neither has anything of the body in it."""
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(status_code=415)
    try:
        return msgspec.json.decode(await request.body(), type=type_)
    except msgspec.ValidationError:
        expected = ", ".join(field.name for field in msgspec.structs.fields(type_))
        raise InvalidError("", f"the body must be an object with texts among {expected}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise HTTPException(status_code=400) from None
