from pathlib import Path

import pytest

from cheeper_contracts import commands, events, superseded
from cheeper_contracts.catalogue import COMMANDS, EVENTS, LEADS_TO, OUTCOMES, command_type_of
from cheeper_contracts.events.author_notified import AuthorNotified
from cheeper_contracts.kafka.codec import EVENT_TYPES, decode_event
from cheeper_contracts.superseded import SUPERSEDED_COMMANDS, SUPERSEDED_EVENTS

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("package", "table"),
    [(commands, COMMANDS), (events, EVENTS), (superseded, (*SUPERSEDED_COMMANDS, *SUPERSEDED_EVENTS))],
    ids=["commands", "events", "superseded"],
)
def test_every_message_file_is_in_the_table(package, table):
    """A message's file must be in the catalogue and in the upcasters' table, or nothing would use it."""
    (folder,) = package.__path__
    files = {f"{package.__name__}.{path.stem}" for path in Path(folder).glob("*.py") if path.stem != "__init__"}
    assert {message.__module__ for message in table} == files


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_every_event_names_the_command_it_settles(event_type):
    """Whoever sees a settling message knows its command: from the table, or from the message itself."""
    event = decode_event(event_type, (EXAMPLES / f"{event_type}.message").read_bytes().partition(b"\n\n")[2])
    (command,) = [command for command in COMMANDS if command_type_of(event) == command.TYPE]
    assert isinstance(event, OUTCOMES) or LEADS_TO[command] is type(event)


def test_a_notification_names_its_own_command():
    """Three commands lead to the same event; its kind distinguishes them."""
    kinds = ("welcome", "new_follower", "answer")
    notified = [AuthorNotified(notification_id="n", author_id="a", kind=kind, notified_at=1) for kind in kinds]
    settled = [command.TYPE for command, event in LEADS_TO.items() if event is AuthorNotified]
    assert sorted(map(command_type_of, notified)) == sorted(settled)
