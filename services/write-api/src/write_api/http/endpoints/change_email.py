from __future__ import annotations

from collections.abc import Mapping

from litestar import Response
from litestar.di import NamedDependency

from cheeper_contracts import routes
from cheeper_contracts.answers import Answer
from cheeper_contracts.commands.change_email import ChangeEmail
from write_api.bus.dispatcher import Dispatcher
from write_api.domain import values
from write_api.domain.author import EMAIL_RULES
from write_api.http.answering import answer
from write_api.http.context import AnyRequest
from write_api.http.data import AuthorAnswer
from write_api.http.endpoint import endpoint
from write_api.http.fields import Email, Id
from write_api.http.forms import Form


class ChangeEmailForm(Form, frozen=True, kw_only=True):
    """Where an author is reached from now on."""

    author_id: Id
    email: Email

    @classmethod
    def rules(cls) -> Mapping[str, values.Rule]:
        """Those of the domain."""
        return EMAIL_RULES


@endpoint("PUT", routes.EMAIL, ChangeEmailForm, AuthorAnswer)
async def take_change_email(
    form: NamedDependency[ChangeEmailForm], request: AnyRequest, dispatcher: NamedDependency[Dispatcher]
) -> Response[Answer[AuthorAnswer]]:
    """Give an author another e-mail address."""
    command = ChangeEmail(author_id=form.author_id.lower(), email=form.email)
    return await answer(request, dispatcher, command, AuthorAnswer(author_id=command.author_id))
