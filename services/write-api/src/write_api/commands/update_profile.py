from __future__ import annotations

import msgspec

from cheeper_contracts.commands.update_profile import UpdateProfile
from cheeper_contracts.events.profile_updated import ProfileUpdated
from write_api.commands.lookup import author_of
from write_api.domain import values
from write_api.domain.repositories import Repositories


async def update_profile(command: UpdateProfile, work: Repositories, now: int) -> ProfileUpdated | None:
    """Change the given fields of a profile; null clears a field. Return None if nothing changes."""
    given = {field: value for field, value in msgspec.structs.asdict(command).items() if value is not msgspec.UNSET}
    profile = values.checked(given, now)
    author = await author_of(work, profile.pop("author_id"))
    if not author.change_profile(profile):
        return None
    await work.authors.save(author)
    return ProfileUpdated(
        author_id=author.author_id,
        username=author.username,
        updated_at=now,
        name=author.name,
        bio=author.bio,
        location=author.location,
        website=author.website,
        birth_date=author.birth_date,
    )
