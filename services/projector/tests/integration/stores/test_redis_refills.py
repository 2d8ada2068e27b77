"""Refills in Redis: a timeline that became short gets what is below its floor, in steps, whatever comes in between."""

import pytest

from cheeper_contracts import views
from projector.stores.task_store import LeftOut, Refill

READER = "00000000-0000-4000-8000-000000000000"
AUTHORS = {name: f"{name * 8}-0000-4000-8000-000000000000" for name in "9abc"}
PARTITION = 0


class ReaderScene:
    """A reader who follows authors, and cheeps by names such as a1, a2, b1."""

    def __init__(self, story, store, helpers, redis, prefix):
        self._story, self.store, self._helpers, self._redis, self._prefix = story, store, helpers, redis, prefix
        self._applied = 0
        self.cheeps = {}

    def apply(self):
        messages = self._story.messages[PARTITION][self._applied :]
        self._helpers.apply_all(self.store, PARTITION, messages)
        self._applied += len(messages)

    def follow(self, names):
        for name in names:
            self._story.followed(READER, AUTHORS[name], partition=PARTITION)
        self.apply()

    def unfollow(self, name):
        self._story.unfollowed(READER, AUTHORS[name], partition=PARTITION)
        self.apply()

    def post(self, names):
        for name in names.split():
            self.cheeps[name] = self._story.posted(AUTHORS[name[0]], name, partition=PARTITION).event
        self.apply()

    def post_late(self, name, *, before, and_delete=()):
        """A cheep just older than another one, in one call with deletions."""
        for one in and_delete:
            self._story.deleted(self.cheeps[one], partition=PARTITION)
        date = self.cheeps[before].cheep_date - 1
        self.cheeps[name] = self._story.posted(AUTHORS[name[0]], name, cheep_date=date, partition=PARTITION).event
        self.apply()

    def delete(self, names):
        for name in names.split():
            self._story.deleted(self.cheeps[name], partition=PARTITION)
        self.apply()

    def steps(self, number=None):
        """Serve so many tasks, or all, and return what they did."""
        found = []
        while len(found) != number and (one := self.store.tasks.serve(PARTITION)) is not None:
            found.append(one)
        return found

    def timeline(self):
        return self._names(self._redis.lrange(self.key(views.TIMELINE), 0, -1))

    def floor(self):
        return self._names([one for one in [self._redis.get(self.key(views.TIMELINE_FLOOR))] if one])

    def key(self, pattern, identifier=READER):
        return pattern.key(self._prefix, identifier)

    def _names(self, entries):
        ids = {cheep.cheep_id: name for name, cheep in self.cheeps.items()}
        return " ".join(ids[views.unpack_entry(entry)[1]] for entry in entries)


@pytest.fixture(params=[0, 1_000], ids=["by tasks", "inline"])
def scene(request, story, redis_store, helpers, redis, redis_prefix):
    """The timeline `c6 b6 a6 c5 b5 a5` over the floor c4, in a store whose refills take an author a step."""
    made = ReaderScene(
        story, redis_store(cap=6, inline_max=request.param, refill_authors=1), helpers, redis, redis_prefix
    )
    made.post(" ".join(f"{name}{number}" for number in range(1, 7) for name in "abc"))
    made.follow("abc")
    assert (made.timeline(), made.floor()) == ("c6 b6 a6 c5 b5 a5", "c4")
    return made


def shorten(scene):
    """Leaves two of the six, and serves what that left to do but the refill."""
    scene.delete("c6 b6 a6 c5")
    while scene.timeline() != "b5 a5":
        scene.steps(1)


def test_a_short_timeline_is_refilled_in_steps(scene):
    """A refill adds what fits, one author a step; the floor sinks to the newest entry that does not fit."""
    shorten(scene)
    assert scene.store.status().tasks == 3
    steps = [step for step in scene.steps() if isinstance(step, Refill)]
    assert [(step.added, step.goes_on) for step in steps] == [(0, True), (0, True), (0, True), (4, False)]
    assert (scene.timeline(), scene.floor()) == ("b5 a5 c4 b4 a4 c3", "b3")
    assert scene.store.status().tasks == 0


def test_half_a_timeline_is_not_short(scene):
    """A refill is rare: it takes as many deletions as it adds entries."""
    scene.delete("c6 b6 a6")
    scene.steps()
    assert (scene.timeline(), scene.floor()) == ("c5 b5 a5", "c4")


def test_the_floor_is_removed_if_nothing_is_left_below(scene):
    """An unfollow that leaves few cheeps in all leaves a list that holds them all."""
    scene.unfollow("c")
    scene.delete("b6 b4 b3 b2 b1 a3 a2 a1")
    scene.unfollow("a")
    scene.steps()
    assert (scene.timeline(), scene.floor()) == ("b5", "")


def test_an_unfollow_takes_out_and_a_follow_brings_back(scene):
    """The followed author's cheeps leave the list at once, and come back as far as they are above the floor."""
    scene.unfollow("b")
    assert (scene.timeline(), scene.floor()) == ("c6 a6 c5 a5", "c4")
    scene.follow("b")
    assert (scene.timeline(), scene.floor()) == ("c6 b6 a6 c5 b5 a5", "c4")


def test_what_is_deleted_between_two_steps_is_left_out(scene):
    """The cheep had been gathered before it was deleted."""
    shorten(scene)
    scene.steps(2)
    scene.delete("b4")
    scene.steps()
    assert (scene.timeline(), scene.floor()) == ("b5 a5 c4 a4 c3", "b3")


def test_a_refill_begins_anew_when_a_late_cheep_comes_below_the_floor(scene):
    """The refill had passed its author before the cheep was posted."""
    scene.follow("9")
    shorten(scene)
    scene.steps(2)
    scene.post_late("91", before="a4")
    scene.steps()
    assert (scene.timeline(), scene.floor()) == ("b5 a5 c4 b4 a4 91", "c3")


def test_a_refill_begins_anew_after_a_follow(scene):
    """The new author precedes those whom the refill has passed."""
    scene.post_late("91", before="a4")
    shorten(scene)
    scene.steps(2)
    scene.follow("9")
    scene.steps()
    assert (scene.timeline(), scene.floor()) == ("b5 a5 c4 b4 a4 91", "c3")


def test_a_refill_begins_anew_after_an_unfollow(scene):
    """The gathered entries of the author do not belong in any more."""
    shorten(scene)
    scene.steps(1)
    scene.unfollow("a")
    scene.steps()
    assert (scene.timeline(), scene.floor()) == ("b5 c4 b4 c3 b3 c2", "b2")


def test_a_refill_begins_anew_when_the_floor_rose(scene):
    """The entries trimmed meanwhile are above those gathered, and belong in too."""
    shorten(scene)
    scene.steps(1)
    scene.post("a7 a8 a9 a10 a11")
    while scene.floor() != "a5":
        scene.steps(1)
    scene.delete("a11 a10 a9 a8")
    scene.steps()
    assert (scene.timeline(), scene.floor()) == ("a7 b5 a5 c4 b4 a4", "c3")


def test_a_refill_is_no_task_of_an_author(scene, redis):
    """A reader of `after` waits for tasks of a command's key; a refill changes no page, so no query waits for it."""
    shorten(scene)
    scene.steps(1)
    assert scene.store.status().tasks > 0
    assert not any(redis.exists(scene.key(views.TASKS, author)) for author in AUTHORS.values())
    assert scene.store.tasks.partitions_with_tasks(range(8)) == {PARTITION}


@pytest.mark.parametrize("broken", [(views.FOLLOWING, READER), (views.AUTHOR_CHEEPS, AUTHORS["b"])])
def test_a_reader_whose_refill_meets_a_broken_key_is_left_out(scene, redis, broken):
    """The reader is reported and not retried; the list and its floor stay as they are."""
    shorten(scene)
    redis.set(scene.key(*broken), "broken")
    left_out = [one for step in scene.steps() for one in step.left_out]
    assert left_out == [LeftOut(reader_id=READER, author_id=None)]
    assert (scene.timeline(), scene.floor()) == ("b5 a5", "c4")
    assert not redis.exists(scene.key(views.SHORT_TIMELINES, PARTITION))


def test_the_head_of_a_list_is_read_again_after_it_was_deleted(scene):
    """A late cheep in the same call finds its place in front."""
    scene.follow("9")
    scene.post_late("91", before="c6", and_delete=["c6"])
    scene.steps()
    assert scene.timeline() == "91 b6 a6 c5 b5 a5"
