from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from msgspec import UNSET, UnsetType

from cheeper_contracts import routes
from cheeper_contracts.answers import Answer
from cheeper_contracts.commands.update_profile import UpdateProfile
from write_api.bus.dispatcher import Dispatcher
from write_api.domain import values
from write_api.domain.author import profile_rules
from write_api.http.answering import answer
from write_api.http.context import AnyRequest
from write_api.http.data import AuthorAnswer
from write_api.http.endpoint import endpoint
from write_api.http.fields import Bio, BirthDate, Id, Location, Name, Website
from write_api.http.forms import Form


class UpdateProfileForm(Form, frozen=True, kw_only=True):
    """What changes: a field that is left out stays, null clears it."""

    author_id: Id
    name: Name | UnsetType | None = UNSET
    bio: Bio | UnsetType | None = UNSET
    location: Location | UnsetType | None = UNSET
    website: Website | UnsetType | None = UNSET
    birth_date: BirthDate | UnsetType | None = UNSET

    @classmethod
    def rules(cls) -> Mapping[str, values.Rule]:
        """Those of the domain, today."""
        return profile_rules(datetime.now(UTC).date())


@endpoint("PATCH", routes.AUTHOR, UpdateProfileForm, AuthorAnswer)
async def take_update_profile(
    form: NamedDependency[UpdateProfileForm], request: AnyRequest, dispatcher: NamedDependency[Dispatcher]
) -> Response[Answer[AuthorAnswer]]:
    """Change an author's profile."""
    author_id = form.author_id.lower()
    command = UpdateProfile(**(msgspec.structs.asdict(form) | {"author_id": author_id}))
    return await answer(request, dispatcher, command, AuthorAnswer(author_id=author_id))
