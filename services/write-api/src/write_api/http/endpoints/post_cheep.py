from __future__ import annotations

from collections.abc import Mapping

from litestar import Response
from litestar.di import NamedDependency

from cheeper_contracts import routes
from cheeper_contracts.answers import Answer
from cheeper_contracts.commands.post_cheep import PostCheep
from write_api.bus.dispatcher import Dispatcher
from write_api.domain import values
from write_api.domain.cheep import POST_RULES
from write_api.http.answering import answer, identify
from write_api.http.context import AnyRequest
from write_api.http.data import CheepAnswer
from write_api.http.endpoint import endpoint
from write_api.http.fields import Id, Message
from write_api.http.forms import Form


class PostCheepForm(Form, frozen=True, kw_only=True):
    """Who says what."""

    cheep_id: Id | None = None
    author_id: Id
    message: Message

    @classmethod
    def rules(cls) -> Mapping[str, values.Rule]:
        """Those of the domain."""
        return POST_RULES


@endpoint("POST", routes.CHEEPS, PostCheepForm, CheepAnswer)
async def take_post_cheep(
    form: NamedDependency[PostCheepForm], request: AnyRequest, dispatcher: NamedDependency[Dispatcher]
) -> Response[Answer[CheepAnswer]]:
    """Post a cheep."""
    cheep_id = identify(request, form.cheep_id, "cheep_id")
    command = PostCheep(cheep_id=cheep_id, author_id=form.author_id.lower(), message=form.message)
    return await answer(request, dispatcher, command, CheepAnswer(cheep_id=cheep_id))
