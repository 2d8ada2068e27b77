"""The command that keeps what was published, in a folder of its own."""

import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest

import state
from cheeper_contracts.commands.follow import Follow
from publish import check, publish, published

pytestmark = pytest.mark.proves(guarantee="contracts")

PUBLISH = Path(__file__).parents[2] / "tools" / "publish.py"
NOW = state.of_code()


@pytest.fixture
def folder(tmp_path):
    """A folder in which the state of today is published."""
    assert publish({}, NOW, (), tmp_path) == []
    return tmp_path


def without_field(name, field):
    """Return the state without a field of an entry's schema."""
    mutated = deepcopy(NOW)
    del mutated[name]["schema"]["properties"][field]
    return mutated


def test_what_is_published_is_that_of_the_code():
    """CI fails on whatever breaks what is published, and on what is not published yet."""
    result = subprocess.run([sys.executable, PUBLISH, "--check"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_published_is_what_was_written(folder):
    """The state survives the files."""
    assert published(folder) == NOW
    assert check(published(folder), NOW) == []


def test_an_addition_is_published_on_request(folder):
    """It breaks no consumer, but the next change has to be compared with it, so CI requires it."""
    added = deepcopy(NOW)
    added[Follow.TYPE]["schema"]["properties"]["note"] = {"type": "string", "default": ""}
    assert check(NOW, added) == [f"{Follow.TYPE}: not published as it is, run contracts/tools/publish.py"]
    assert publish(NOW, added, (), folder) == []
    assert published(folder) == added
    assert check(added, NOW)[0].startswith(f"{Follow.TYPE}: the field note is gone")


@pytest.mark.parametrize("replace", [(), (Follow.TYPE,)], ids=["published", "replaced"])
def test_a_broken_message_is_refused(folder, replace):
    """The error names the message, the field and the way out, and no file is written."""
    broken = without_field(Follow.TYPE, "follow_id") | {"new": {}}
    sentences = publish(NOW, broken, replace, folder)
    assert all(sentence.startswith(f"{Follow.TYPE}: ") and "make a new version" in sentence for sentence in sentences)
    assert check(NOW, broken)[0] == (
        f"{Follow.TYPE}: the field follow_id is gone; make a new version, and keep this one in"
        " cheeper_contracts.superseded"
    )
    assert published(folder) == NOW


def test_a_new_version_beside_the_old_one_is_published(folder):
    """The old one stays as it was, so both can be read."""
    newer = NOW | {"cheeper.follow.v2": without_field(Follow.TYPE, "follow_id")[Follow.TYPE]}
    assert publish(NOW, newer, (), folder) == []
    assert published(folder) == newer


def test_a_broken_view_is_published_where_it_is_named(folder):
    """A rebuild makes views anew, so a view may break, but not by accident; one that is no more goes."""
    broken = without_field("views.CheepRecord", "edited_at")
    del broken["redis.floor"]
    (sentence, other) = publish(NOW, broken, ["views.CheepRecord"], folder) + publish(
        NOW, broken, ["redis.floor"], folder
    )
    assert sentence.startswith("redis.floor: is gone; where a rebuild")
    assert other.startswith("views.CheepRecord: the field edited_at is gone; where a rebuild")
    assert published(folder) == NOW
    assert publish(NOW, broken, ["views.CheepRecord", "redis.floor"], folder) == []
    assert published(folder) == broken


@pytest.mark.parametrize("name", ["topic.cheeper.events", "redis.nothing", "generations", "lag"])
def test_what_cannot_be_replaced_is_refused(folder, name):
    """A topic that holds messages, what was never there, and where readers meet a switch or a projector."""
    assert publish(NOW, NOW, [name], folder)[0].startswith(f"{name}: ")


def test_the_topic_of_dead_letters_can_be_replaced(folder):
    """Only people read it."""
    name = "topic.cheeper.dead-letters"
    changed = NOW | {name: NOW[name] | {"config": {}}}
    assert publish(NOW, changed, (), folder)[0].startswith(f"{name}: config was")
    assert publish(NOW, changed, [name], folder) == []
    assert published(folder) == changed
