from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta

from cheeper_contracts import routes
from cheeper_contracts.answers import Answer
from cheeper_contracts.commands.sign_up import SignUp
from write_api.commands.transports import Dispatcher
from write_api.domain import values
from write_api.domain.author import sign_up_rules
from write_api.http.answering import MADE, answer, documented, identify
from write_api.http.bodies import Body, Json
from write_api.http.fields import Id, Text
from write_api.http.problems import AnyRequest


class SignUpBody(Body, frozen=True, kw_only=True):
    """Who signs up."""

    author_id: Id | None = None
    username: Annotated[str, Meta(extra_json_schema={"pattern": values.USERNAME_PATTERN})]
    email: Annotated[str, Meta(extra_json_schema={"format": "email", "maxLength": values.EMAIL_LENGTH})]
    name: Annotated[Text, Meta(extra_json_schema={"minLength": 1, "maxLength": values.NAME_LENGTH})] | None = None
    bio: Annotated[Text, Meta(extra_json_schema={"maxLength": values.BIO_LENGTH})] | None = None
    location: Annotated[Text, Meta(extra_json_schema={"maxLength": values.LOCATION_LENGTH})] | None = None
    website: Annotated[str, Meta(extra_json_schema={"format": "uri", "maxLength": values.WEBSITE_LENGTH})] | None = None
    birth_date: Annotated[str, Meta(extra_json_schema={"format": "date"})] | None = None

    @classmethod
    def rules(cls) -> Mapping[str, values.Rule]:
        """Those of the domain, today."""
        return sign_up_rules(datetime.now(UTC).date())


class AuthorAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed up."""

    author_id: str


@post(
    routes.AUTHORS.path,
    dto=Json[SignUpBody],
    return_dto=None,
    response_description=MADE,
    responses=documented(AuthorAnswer),
)
async def take_sign_up(
    data: JSONBody[SignUpBody], request: AnyRequest, dispatcher: NamedDependency[Dispatcher]
) -> Response[Answer[AuthorAnswer]]:
    """Sign an author up."""
    author_id = identify(request, data.author_id, "author_id")
    command = SignUp(**(msgspec.structs.asdict(data) | {"author_id": author_id}))
    return await answer(request, dispatcher, command, AuthorAnswer(author_id=author_id))
