import pytest

from cheeper_contracts.commands.change_email import ChangeEmail
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.events.email_changed import EmailChanged
from write_api.commands.change_email import change_email
from write_api.commands.sign_up import sign_up
from write_api.testing import MemoryTransactions

pytestmark = pytest.mark.proves(guarantee="callers")

BOB = "a64a52cc-3ee9-4a15-918b-099e18b43119"


@pytest.mark.parametrize("guess", ["bob@bob.com", "BOB@bob.com", "guess@bob.com"])
async def test_whoever_guesses_an_author_s_address_learns_nothing(guess):
    """The event of the address that the author has is that of any other: a change."""
    transactions = MemoryTransactions()
    async with transactions.begin([BOB]) as work:
        await sign_up(SignUp(author_id=BOB, username="bob", email="bob@bob.com"), work, 1)
        event = await change_email(ChangeEmail(author_id=BOB, email=guess), work, 2)
        assert event == EmailChanged(author_id=BOB, changed_at=2)
        assert (await work.authors.of_id(BOB)).email == guess
