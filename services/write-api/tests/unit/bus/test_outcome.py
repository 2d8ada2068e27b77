from typing import ClassVar

from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.messages import Command
from write_api.bus.outcome import MESSAGE_ID_REUSED, KnownCommand, Outcome, digest_of

POST = PostCheep(cheep_id="1", author_id="2", message="Hello")


def test_digests_differ_by_type_and_content():
    """No other command has the digest of this one."""
    others = [
        PostCheep(cheep_id="1", author_id="2", message="Hello "),
        PostCheep(cheep_id="2", author_id="1", message="Hello"),
        Follow(follow_id="1", from_author_id="2", to_author_id="Hello"),
        SignUp(author_id="1", username="2", email="Hello"),
    ]
    assert len({digest_of(command) for command in (POST, *others)}) == 5
    assert digest_of(POST) == digest_of(PostCheep(cheep_id="1", author_id="2", message="Hello"))


def test_a_digest_outlives_a_new_optional_field():
    """A field that is added later does not make an old command another one."""

    class Later(Command, frozen=True, kw_only=True):
        TYPE: ClassVar[str] = PostCheep.TYPE
        cheep_id: str
        author_id: str
        message: str
        mood: str | None = None

    assert digest_of(Later(cheep_id="1", author_id="2", message="Hello")) == digest_of(POST)


def test_a_known_outcome_counts_for_its_own_command_only():
    """A reserved command is still to be run, a handled one has the same outcome as before, another one is refused."""
    digest, handled = digest_of(POST), Outcome(changed=True)
    assert KnownCommand(digest=digest, accepted=True, outcome=None).outcome_for("m", digest) is None
    known = KnownCommand(digest=digest, accepted=True, outcome=handled)
    assert known.outcome_for("m", digest) == Outcome(changed=True, accepted=True)
    reused = known.outcome_for("m", b"other")
    assert reused is not None
    assert (reused.code, reused.accepted) == (MESSAGE_ID_REUSED, False)
