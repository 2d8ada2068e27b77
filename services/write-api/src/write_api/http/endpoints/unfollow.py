from __future__ import annotations

from collections.abc import Mapping

import msgspec
from litestar import Response
from litestar.di import NamedDependency

from cheeper_contracts import routes
from cheeper_contracts.answers import Answer
from cheeper_contracts.commands.unfollow import Unfollow
from write_api.bus.dispatcher import Dispatcher
from write_api.domain import values
from write_api.domain.follow import FOLLOW_RULES
from write_api.http.answering import answer
from write_api.http.context import AnyRequest
from write_api.http.endpoint import endpoint
from write_api.http.fields import Id
from write_api.http.forms import Form


class UnfollowForm(Form, frozen=True, kw_only=True):
    """Who follows whom no longer."""

    from_author_id: Id
    to_author_id: Id

    @classmethod
    def rules(cls) -> Mapping[str, values.Rule]:
        """Those of the domain."""
        return FOLLOW_RULES


class UnfollowAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Who follows whom no longer."""

    from_author_id: str
    to_author_id: str


@endpoint("DELETE", routes.FOLLOWED, UnfollowForm, UnfollowAnswer)
async def take_unfollow(
    form: NamedDependency[UnfollowForm], request: AnyRequest, dispatcher: NamedDependency[Dispatcher]
) -> Response[Answer[UnfollowAnswer]]:
    """Let one author follow another no longer."""
    pair = {"from_author_id": form.from_author_id.lower(), "to_author_id": form.to_author_id.lower()}
    return await answer(request, dispatcher, Unfollow(**pair), UnfollowAnswer(**pair))
