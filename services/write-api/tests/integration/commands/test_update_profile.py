import pytest

from cheeper_contracts.commands.update_profile import UpdateProfile
from cheeper_contracts.events.command_handled import CommandHandled
from cheeper_contracts.events.profile_updated import ProfileUpdated
from write_api.bus.ids import new_id

pytestmark = pytest.mark.store

WHOLE = {"name": "Bób", "bio": "", "location": "Nowhere", "website": "http://a", "birth_date": "2000-02-29"}


async def test_the_event_has_the_whole_current_profile(world, people):
    """An absent field stays, null clears one; no event contains an e-mail address."""
    author_id = people[0].author_id
    who = {"author_id": author_id, "username": people[0].username}
    await world.handle(UpdateProfile(author_id=author_id, **WHOLE), UpdateProfile(author_id=author_id, bio=None))
    first, second = (await world.events())[-2:]
    assert first == ProfileUpdated(**who, updated_at=first.updated_at, **WHOLE)
    assert second == ProfileUpdated(**who, updated_at=second.updated_at, **(WHOLE | {"bio": None}))
    assert first.updated_at < second.updated_at


async def test_an_unchanged_profile_causes_no_event(world, people):
    """A command without fields, or with the present values, changes nothing."""
    author_id = people[0].author_id
    await world.handle(UpdateProfile(author_id=author_id, **WHOLE))
    again = [
        UpdateProfile(author_id=author_id),
        UpdateProfile(author_id=author_id, name="Bo\N{COMBINING ACUTE ACCENT}b"),
        UpdateProfile(author_id=author_id, **WHOLE),
    ]
    await world.handle(*again)
    handled = CommandHandled(command_type=UpdateProfile.TYPE, command_key=author_id)
    assert (await world.events())[-3:] == [handled] * 3


async def test_a_profile_keeps_its_rules_and_is_an_author_s(world, people):
    """Each field by its own, a birth date by the day of the command; who has not signed up has none."""
    author_id = people[0].author_id
    codes = await world.codes(
        UpdateProfile(author_id=author_id, name=""),
        UpdateProfile(author_id=author_id, birth_date="2022-03-14"),
        UpdateProfile(author_id="bob"),
        UpdateProfile(author_id=new_id(), name="Bob"),
    )
    assert codes == ["invalid", "invalid", "invalid", "author_not_found"]
