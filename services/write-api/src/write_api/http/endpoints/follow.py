from __future__ import annotations

from collections.abc import Mapping

import msgspec
from litestar import Response
from litestar.di import NamedDependency

from cheeper_contracts import routes
from cheeper_contracts.answers import Answer
from cheeper_contracts.commands.follow import Follow
from write_api.bus.dispatcher import Dispatcher
from write_api.domain import values
from write_api.domain.follow import FOLLOW_RULES, refuse_self
from write_api.http.answering import answer, identify
from write_api.http.context import AnyRequest
from write_api.http.endpoint import endpoint
from write_api.http.fields import Id
from write_api.http.forms import Form


class FollowForm(Form, frozen=True, kw_only=True):
    """Who follows whom."""

    follow_id: Id | None = None
    from_author_id: Id
    to_author_id: Id

    @classmethod
    def rules(cls) -> Mapping[str, values.Rule]:
        """Those of the domain."""
        return FOLLOW_RULES


class FollowAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Who follows whom."""

    follow_id: str
    from_author_id: str
    to_author_id: str


@endpoint("POST", routes.FOLLOWS, FollowForm, FollowAnswer)
async def take_follow(
    form: NamedDependency[FollowForm], request: AnyRequest, dispatcher: NamedDependency[Dispatcher]
) -> Response[Answer[FollowAnswer]]:
    """Let one author follow another."""
    ids = {
        "follow_id": identify(request, form.follow_id, "follow_id"),
        "from_author_id": form.from_author_id.lower(),
        "to_author_id": form.to_author_id.lower(),
    }
    refuse_self(ids["from_author_id"], ids["to_author_id"])
    return await answer(request, dispatcher, Follow(**ids), FollowAnswer(**ids))
