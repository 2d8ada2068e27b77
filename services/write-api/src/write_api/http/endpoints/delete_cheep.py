from __future__ import annotations

from collections.abc import Mapping

from litestar import Response
from litestar.di import NamedDependency

from cheeper_contracts import routes
from cheeper_contracts.answers import Answer
from cheeper_contracts.commands.delete_cheep import DeleteCheep
from write_api.bus.dispatcher import Dispatcher
from write_api.domain import values
from write_api.domain.cheep import DELETION_RULES
from write_api.http.answering import answer
from write_api.http.context import AnyRequest
from write_api.http.data import CheepAnswer
from write_api.http.endpoint import endpoint
from write_api.http.fields import Id
from write_api.http.forms import Form


class DeleteCheepForm(Form, frozen=True, kw_only=True):
    """Who takes which cheep back."""

    cheep_id: Id
    author_id: Id

    @classmethod
    def rules(cls) -> Mapping[str, values.Rule]:
        """Those of the domain."""
        return DELETION_RULES


@endpoint("DELETE", routes.CHEEP, DeleteCheepForm, CheepAnswer)
async def take_delete_cheep(
    form: NamedDependency[DeleteCheepForm], request: AnyRequest, dispatcher: NamedDependency[Dispatcher]
) -> Response[Answer[CheepAnswer]]:
    """Delete a cheep."""
    command = DeleteCheep(cheep_id=form.cheep_id.lower(), author_id=form.author_id.lower())
    return await answer(request, dispatcher, command, CheepAnswer(cheep_id=command.cheep_id))
