import pytest

from read_api.queries.author import Author
from read_api.queries.author_by_username import AuthorByUsername
from read_api.query_bus.query import NotFoundError


@pytest.mark.parametrize("username", ["Bob_7", "bob_7", "BOB_7"])
async def test_case_does_not_matter(documents, ask, username):
    """An author is found by the username in either case, and is the same as by the id."""
    author = documents.sign_up(username="Bob_7")
    documents.sign_up(username="Bob_77")
    found = (await ask(AuthorByUsername(username=username))).data
    assert found == (await ask(Author(author_id=author))).data
    assert found.username == "Bob_7"


async def test_no_author_of_that_name(ask, documents):
    """A username that no author has is reported as it was requested."""
    documents.sign_up(username="bobby")
    with pytest.raises(NotFoundError) as caught:
        await ask(AuthorByUsername(username="Bob"))
    assert (caught.value.code, str(caught.value)) == ("author_not_found", 'Author "Bob" does not exist')
