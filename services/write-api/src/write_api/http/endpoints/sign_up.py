from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from litestar import Response
from litestar.di import NamedDependency

from cheeper_contracts import routes
from cheeper_contracts.answers import Answer
from cheeper_contracts.commands.sign_up import SignUp
from write_api.bus.dispatcher import Dispatcher
from write_api.domain import values
from write_api.domain.author import sign_up_rules
from write_api.http.answering import answer, identify
from write_api.http.context import AnyRequest
from write_api.http.data import AuthorAnswer
from write_api.http.endpoint import endpoint
from write_api.http.fields import Bio, BirthDate, Email, Id, Location, Name, Username, Website
from write_api.http.forms import Form


class SignUpForm(Form, frozen=True, kw_only=True):
    """Who signs up."""

    author_id: Id | None = None
    username: Username
    email: Email
    name: Name | None = None
    bio: Bio | None = None
    location: Location | None = None
    website: Website | None = None
    birth_date: BirthDate | None = None

    @classmethod
    def rules(cls) -> Mapping[str, values.Rule]:
        """Those of the domain, today."""
        return sign_up_rules(datetime.now(UTC).date())


@endpoint("POST", routes.AUTHORS, SignUpForm, AuthorAnswer)
async def take_sign_up(
    form: NamedDependency[SignUpForm], request: AnyRequest, dispatcher: NamedDependency[Dispatcher]
) -> Response[Answer[AuthorAnswer]]:
    """Sign an author up."""
    author_id = identify(request, form.author_id, "author_id")
    command = SignUp(**(msgspec.structs.asdict(form) | {"author_id": author_id}))
    return await answer(request, dispatcher, command, AuthorAnswer(author_id=author_id))
