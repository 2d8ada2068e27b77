"""The callers who sign requests, and whom they find in a request."""

import json

import pytest

from cheeper_e2e.http.callers import Callers, callers_of
from cheeper_runtime.tokens.issuers import Issuer
from cheeper_runtime.tokens.verifier import Verifier

ANN = "3b9a4e5c-52f1-4d0e-8c55-6f1f5a0c2d11"
BOB = "6f9619ff-8b86-4011-b42d-00cf4fc964f0"
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def callers(tmp_path):
    return Callers(tmp_path)


@pytest.mark.parametrize(
    ("path", "content", "params", "sender"),
    [
        ("/cheep", json.dumps({"author_id": ANN, "message": BOB}).encode(), None, ANN),
        ("/follow", json.dumps({"from_author_id": ANN, "to_author_id": BOB}).encode(), None, ANN),
        (f"/cheep/{BOB}", None, {"author_id": ANN}, ANN),
        (f"/author/{ANN}/following/{BOB}", None, None, ANN),
        (f"/chapter7/author/{ANN.upper()}/timeline", None, {"size": 5}, ANN),
        (f"/author/{ANN}/notifications/read", b'{"author_id": 5}', None, ANN),
        ("/search", None, {"q": "hello"}, NOBODY),
        ("/author/nobody", b"{", None, NOBODY),
        (f"/command/{BOB}", None, None, NOBODY),
    ],
)
def test_who_may_send_a_request_is_found_in_it(callers, path, content, params, sender):
    """The sender is the actor of the body, of the parameters or of the path, and nobody if none is an id."""
    assert callers.sender_of(path, content, params) == sender


def test_the_status_of_a_command_is_for_its_first_sender(callers):
    """The first sender of a command is remembered, also if another caller uses its key later."""
    callers.note(BOB, ANN)
    callers.note(BOB, BOB)
    for path in (f"/command/{BOB}", f"/chapter7/command/{BOB.upper()}"):
        assert callers.sender_of(path, None, None) == ANN


async def test_processes_with_the_folder_sign_for_one_stack(tmp_path):
    """The stack of the first process accepts the tokens of each, and of nobody with another key."""
    (tmp_path / "another").mkdir()
    first, second, other = Callers(tmp_path), Callers(tmp_path), Callers(tmp_path / "another")
    assert first.settings["AUTH"] == "tokens"
    (accepted,) = json.loads(first.settings["ISSUERS"])
    verifier = Verifier([Issuer(**accepted)])
    await verifier.fetch_keys()
    for each in (first, second):
        token = each.authorization(ANN)["Authorization"].removeprefix("Bearer ")
        assert (await verifier.verify(token)).caller == ANN
    with pytest.raises(Exception, match="key"):
        await verifier.verify(other.authorization(ANN)["Authorization"].removeprefix("Bearer "))


def test_the_open_mode_has_no_callers():
    """Without AUTH=tokens nobody signs, and the stack of the run is open whatever the environment has."""
    for auth in (None, "", "open"):
        with callers_of(auth) as (callers, settings):
            assert (callers, settings) == (None, {"AUTH": "open"})
