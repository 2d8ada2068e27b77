import pytest

from cheeper_contracts.commands.sign_up import SignUp
from write_api.commands.sign_up import sign_up
from write_api.domain.errors import AuthorIdTaken, EmailTaken, UsernameTaken
from write_api.testing import MemoryTransactions

pytestmark = pytest.mark.proves(guarantee="callers")

BOB, OTHER = "a64a52cc-3ee9-4a15-918b-099e18b43119", "1fd7d739-2ad7-41a8-8c18-565603e3733f"
RIGHT, WRONG = "bob@bob.com", "guess@bob.com"


@pytest.fixture
async def attempt():
    """Sign bob up, and return a function that tries another sign-up and returns its refusal."""
    transactions = MemoryTransactions()

    async def handle(author_id, username, email):
        async with transactions.begin([author_id]) as work:
            await sign_up(SignUp(author_id=author_id, username=username, email=email), work, 1)

    async def refused(*given):
        with pytest.raises((AuthorIdTaken, UsernameTaken, EmailTaken)) as caught:
            await handle(*given)
        return caught.value.code, caught.value.message

    await handle(BOB, "bob", RIGHT)
    return refused


@pytest.mark.parametrize("username", ["bob", "other"])
async def test_a_taken_id_is_refused_alike_whatever_the_rest(attempt, username):
    """A repeat of a public author's sign-up confirms no guess at its address."""
    right, wrong = await attempt(BOB, username, RIGHT), await attempt(BOB, username, WRONG)
    assert right == wrong == ("author_id_taken", f'The author id "{BOB}" belongs to another sign-up')


async def test_a_taken_username_is_refused_alike_whatever_the_address(attempt):
    """The address is checked last, so only a sign-up that would succeed with another address reports it as taken."""
    assert await attempt(OTHER, "BOB", RIGHT) == await attempt(OTHER, "BOB", WRONG)
    code, sentence = await attempt(OTHER, "other", RIGHT.upper())
    assert code == "email_taken"
    assert "@" not in sentence
