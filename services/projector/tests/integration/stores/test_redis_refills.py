"""Refills in Redis: a timeline that became short gets what is below its floor, in steps, whatever comes in between."""

import pytest

from cheeper_contracts import views
from projector.stores.task_store import LeftOut, Refill

READER = "00000000-0000-4000-8000-000000000000"
AUTHORS = {name: f"{name * 8}-0000-4000-8000-000000000000" for name in "9abc"}
PARTITION = 0


class Told:
    """A reader who follows authors, and cheeps by names such as a1, a2, b1."""

    def __init__(self, story, store, tell, redis, prefix):
        self._story, self.store, self._tell, self._redis, self._prefix = story, store, tell, redis, prefix
        self._applied = 0
        self.cheeps = {}

    def apply(self):
        messages = self._story.messages[PARTITION][self._applied :]
        self._tell.apply_all(self.store, PARTITION, messages)
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
def told(request, story, redis_store, tell, redis, redis_prefix):
    """The timeline `c6 b6 a6 c5 b5 a5` over the floor c4, in a store whose refills take an author a step."""
    made = Told(story, redis_store(cap=6, inline_max=request.param, refill_authors=1), tell, redis, redis_prefix)
    made.post(" ".join(f"{name}{number}" for number in range(1, 7) for name in "abc"))
    made.follow("abc")
    assert (made.timeline(), made.floor()) == ("c6 b6 a6 c5 b5 a5", "c4")
    return made


def shorten(told):
    """Leaves two of the six, and serves what that left to do but the refill."""
    told.delete("c6 b6 a6 c5")
    while told.timeline() != "b5 a5":
        told.steps(1)


def test_a_short_timeline_is_refilled_in_steps(told):
    """A refill adds what fits, one author a step; the floor sinks to the newest entry that does not fit."""
    shorten(told)
    assert told.store.status().tasks == 3
    steps = [step for step in told.steps() if isinstance(step, Refill)]
    assert [(step.added, step.goes_on) for step in steps] == [(0, True), (0, True), (0, True), (4, False)]
    assert (told.timeline(), told.floor()) == ("b5 a5 c4 b4 a4 c3", "b3")
    assert told.store.status().tasks == 0


def test_half_a_timeline_is_not_short(told):
    """A refill is rare: it takes as many deletions as it adds entries."""
    told.delete("c6 b6 a6")
    told.steps()
    assert (told.timeline(), told.floor()) == ("c5 b5 a5", "c4")


def test_the_floor_goes_where_nothing_is_left_below(told):
    """An unfollow that leaves few cheeps in all leaves a list that holds them all."""
    told.unfollow("c")
    told.delete("b6 b4 b3 b2 b1 a3 a2 a1")
    told.unfollow("a")
    told.steps()
    assert (told.timeline(), told.floor()) == ("b5", "")


def test_an_unfollow_takes_out_and_a_follow_brings_back(told):
    """The followed author's cheeps are gone from the list at once, and come back as far as they are above the floor."""
    told.unfollow("b")
    assert (told.timeline(), told.floor()) == ("c6 a6 c5 a5", "c4")
    told.follow("b")
    assert (told.timeline(), told.floor()) == ("c6 b6 a6 c5 b5 a5", "c4")


def test_what_is_deleted_between_two_steps_is_left_out(told):
    """The cheep had been gathered before it was deleted."""
    shorten(told)
    told.steps(2)
    told.delete("b4")
    told.steps()
    assert (told.timeline(), told.floor()) == ("b5 a5 c4 a4 c3", "b3")


def test_a_refill_begins_anew_when_a_late_cheep_comes_below_the_floor(told):
    """The refill had passed its author before the cheep was posted."""
    told.follow("9")
    shorten(told)
    told.steps(2)
    told.post_late("91", before="a4")
    told.steps()
    assert (told.timeline(), told.floor()) == ("b5 a5 c4 b4 a4 91", "c3")


def test_a_refill_begins_anew_after_a_follow(told):
    """The new author precedes those whom the refill has passed."""
    told.post_late("91", before="a4")
    shorten(told)
    told.steps(2)
    told.follow("9")
    told.steps()
    assert (told.timeline(), told.floor()) == ("b5 a5 c4 b4 a4 91", "c3")


def test_a_refill_begins_anew_after_an_unfollow(told):
    """The gathered entries of the author do not belong in any more."""
    shorten(told)
    told.steps(1)
    told.unfollow("a")
    told.steps()
    assert (told.timeline(), told.floor()) == ("b5 c4 b4 c3 b3 c2", "b2")


def test_a_refill_begins_anew_when_the_floor_rose(told):
    """The entries trimmed meanwhile are above those gathered, and belong in too."""
    shorten(told)
    told.steps(1)
    told.post("a7 a8 a9 a10 a11")
    while told.floor() != "a5":
        told.steps(1)
    told.delete("a11 a10 a9 a8")
    told.steps()
    assert (told.timeline(), told.floor()) == ("a7 b5 a5 c4 b4 a4", "c3")


def test_a_refill_is_no_task_of_an_author(told, redis):
    """A reader of `after` waits for tasks of a command's key; a refill changes no page, so nobody waits for it."""
    shorten(told)
    told.steps(1)
    assert told.store.status().tasks > 0
    assert not any(redis.exists(told.key(views.TASKS, author)) for author in AUTHORS.values())
    assert told.store.tasks.partitions_with_tasks(range(8)) == {PARTITION}


@pytest.mark.parametrize("broken", [(views.FOLLOWING, READER), (views.AUTHOR_CHEEPS, AUTHORS["b"])])
def test_a_reader_whose_refill_meets_a_broken_key_is_left_out(told, redis, broken):
    """The reader is reported and not retried; the list and its floor stay as they are."""
    shorten(told)
    redis.set(told.key(*broken), "broken")
    left_out = [one for step in told.steps() for one in step.left_out]
    assert left_out == [LeftOut(reader_id=READER, author_id=None)]
    assert (told.timeline(), told.floor()) == ("b5 a5", "c4")
    assert not redis.exists(told.key(views.SHORT_TIMELINES, PARTITION))


def test_the_head_of_a_list_is_read_again_after_it_was_deleted(told):
    """A late cheep in the same call finds its place in front."""
    told.follow("9")
    told.post_late("91", before="c6", and_delete=["c6"])
    told.steps()
    assert told.timeline() == "91 b6 a6 c5 b5 a5"
