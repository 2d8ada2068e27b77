"""The list of failed messages."""

import json

from hypothesis import given
from hypothesis import strategies as st

from cheeper_audit.stores import StoreUnavailableError
from inspector.failed.messages import MASK, MOST, StoredMessage, content_of, failed_messages

ID = "a64a52cc-3ee9-4a15-918b-099e18b43119"
POST = {"cheep_id": ID, "author_id": ID, "message": "Hello", "cheep_date": 7}


def stored(number=1, value=b"", **fields):
    given = {"topic": "cheeper.commands", "partition": 1, "offset": number, "key": ID, "message_id": ID, "type": "t"}
    return StoredMessage(
        **{"id": str(number), **given, "behind": number > 1, "reason": "crashed", "value": value, **fields}
    )


class Server:
    def __init__(self, *messages):
        self._messages = messages

    def failed(self, most):
        return self._messages[:most]

    def number_failed(self):
        return len(self._messages)


class Unavailable:
    def number_failed(self):
        raise StoreUnavailableError("It cannot be reached.")

    def failed(self, _most):
        return self.number_failed()


def test_each_server_has_its_messages_in_their_order():
    """The messages of all servers are listed with their reason and place, those of a server in its order."""
    value = json.dumps(POST).encode()
    found = failed_messages({"postgres": Server(stored(1, value), stored(2)), "redis": Server()}, reveal=False)
    assert [(each.server, each.offset, each.behind) for each in found.messages] == [
        ("postgres", 1, False),
        ("postgres", 2, True),
    ]
    assert found.messages[0].content == {**POST, "message": MASK}
    assert (found.totals, found.unavailable) == ({"postgres": 2, "redis": 0}, {})


def test_a_list_is_bounded_and_its_number_is_not():
    """More messages than are shown are counted."""
    found = failed_messages({"mongo": Server(*map(stored, range(MOST + 7)))}, reveal=False)
    assert (len(found.messages), found.totals) == (MOST, {"mongo": MOST + 7})


def test_a_server_that_is_unavailable_is_named_and_the_rest_is_shown():
    """One server that does not respond hides nothing of the others."""
    found = failed_messages({"postgres": Unavailable(), "redis": Server(stored())}, reveal=False)
    assert found.unavailable == {"postgres": "It cannot be reached."}
    assert (found.totals, len(found.messages)) == ({"redis": 1}, 1)


def test_content_is_shown_on_request():
    """On request each field is shown, but no e-mail address."""
    value = json.dumps({**POST, "email": "bob@example.org", "of": [{"email": None, "name": "Bob"}]}).encode()
    assert content_of(value, reveal=True) == {**POST, "email": MASK, "of": [{"email": None, "name": "Bob"}]}
    assert content_of(value, reveal=False)["of"] == [{"email": None, "name": MASK}]


def test_what_is_no_json_is_shown_on_request_alone():
    """Bytes are a number of them, and on request their beginning, unless an address may be in it."""
    assert content_of(b"\xffnot json", reveal=False) == "9 bytes"
    assert content_of(b"\xffnot json", reveal=True) == "\ufffdnot json"
    assert content_of(b'{"email":"bob@example.org"', reveal=True) == "26 bytes"


LEAVES = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9)


@given(st.recursive(LEAVES, lambda each: st.lists(each) | st.dictionaries(st.sampled_from("abc"), each), max_leaves=9))
def test_no_text_is_shown_without_request(content):
    """However deep a text is, it is masked."""
    assert all(text == MASK for text in _texts(content_of(json.dumps(content).encode(), reveal=False)))


def _texts(content):
    if isinstance(content, str):
        yield content
    for each in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        yield from _texts(each)
