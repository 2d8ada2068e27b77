import pytest

from cheeper_contracts.actors import SYSTEM_ACTOR
from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.commands.welcome_author import WelcomeAuthor
from cheeper_contracts.kafka.envelope import Envelope
from write_api.bus.authorisation import NOT_ALLOWED, by_declaration
from write_api.bus.bus import CommandBus
from write_api.bus.ids import new_id
from write_api.bus.outcome import ReceivedCommand
from write_api.features import HANDLERS
from write_api.testing import MemoryTransactions

pytestmark = pytest.mark.proves(guarantee="identity")

ANN, BOB = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2))
SIGN_UP = SignUp(author_id=ANN, username="ann", email="ann@example.org")
FOLLOW = Follow(follow_id=new_id(), from_author_id=ANN, to_author_id=BOB)
WELCOME = WelcomeAuthor(notification_id=new_id(), author_id=ANN)


@pytest.mark.parametrize(
    ("command", "actor", "allowed"),
    [
        (SIGN_UP, ANN, True),
        (SIGN_UP, BOB, False),
        (SIGN_UP, None, False),
        (SIGN_UP, SYSTEM_ACTOR, False),
        (FOLLOW, ANN, True),
        (FOLLOW, BOB, False),
        (WELCOME, SYSTEM_ACTOR, True),
        (WELCOME, ANN, False),
        (WELCOME, None, False),
    ],
)
def test_the_declaration_decides(command, actor, allowed):
    """The actor is the one that the command names, which for a follow is not its key, or the system."""
    assert by_declaration(command, actor) is allowed


@pytest.mark.parametrize(("actor", "code"), [(ANN, None), (BOB, NOT_ALLOWED), (None, NOT_ALLOWED)])
async def test_the_worker_checks_the_actor_of_the_message(actor, code):
    """A command that came to the topic with another actor, or none, is rejected, and not parked: it is no defect."""
    transactions = MemoryTransactions()
    bus = CommandBus(
        transactions.begin, lambda: None, HANDLERS, source="/worker", accepted=True, is_allowed=by_declaration
    )
    envelope = Envelope(
        message_id=new_id(), type=SIGN_UP.TYPE, source="/any", time=1, key=ANN, correlation_id=ANN, actor=actor
    )
    (outcome,) = await bus.handle([ReceivedCommand(command=SIGN_UP, envelope=envelope)])
    assert outcome.code == code
    assert (ANN in transactions.tables.authors) is (code is None)
    (left,) = transactions.tables.outbox
    assert getattr(left.event, "code", None) == code
