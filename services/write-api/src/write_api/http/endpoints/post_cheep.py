from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta

from cheeper_contracts import routes
from cheeper_contracts.answers import Answer
from cheeper_contracts.commands.post_cheep import PostCheep
from write_api.commands.transports import Dispatcher
from write_api.domain import values
from write_api.domain.cheep import POST_RULES
from write_api.http.answering import MADE, answer, documented, identify
from write_api.http.bodies import Body, Json
from write_api.http.fields import Id, Text
from write_api.http.problems import AnyRequest


class PostCheepBody(Body, frozen=True, kw_only=True):
    """Who says what."""

    cheep_id: Id | None = None
    author_id: Id
    message: Annotated[
        Text,
        Meta(
            description=f"1 to {values.MESSAGE_LENGTH} characters; white space around it does not count",
            extra_json_schema={"minLength": 1},
        ),
    ]

    @classmethod
    def rules(cls) -> Mapping[str, values.Rule]:
        """Those of the domain."""
        return POST_RULES


class CheepAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The cheep that is posted."""

    cheep_id: str


@post(
    routes.CHEEPS.path,
    dto=Json[PostCheepBody],
    return_dto=None,
    response_description=MADE,
    responses=documented(CheepAnswer),
)
async def take_post_cheep(
    data: JSONBody[PostCheepBody], request: AnyRequest, dispatcher: NamedDependency[Dispatcher]
) -> Response[Answer[CheepAnswer]]:
    """Post a cheep."""
    cheep_id = identify(request, data.cheep_id, "cheep_id")
    command = PostCheep(cheep_id=cheep_id, author_id=data.author_id.lower(), message=data.message)
    return await answer(request, dispatcher, command, CheepAnswer(cheep_id=cheep_id))
