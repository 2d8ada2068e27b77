"""The transcript's comparison of replies, without a system."""

import pytest

from cheeper_e2e.demo.transcript import THE_BOOKS, DateOf, demo_time, mismatch, strangers


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1, "c": 2}]}),
        ({"at": DateOf()}, {"at": "2022-03-14T21:08:50+00:00"}),
        ([], []),
    ],
)
def test_more_keys_may_be_beside_the_books(wanted, found):
    """Every key of the book with an equal value is enough."""
    assert mismatch(wanted, found) is None


@pytest.mark.parametrize(
    ("wanted", "found", "sentence"),
    [
        ({"a": 1}, {"b": 1}, "data has no a"),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "data.a.b is 2, not 1"),
        ({"a": [1, 2]}, {"a": [2, 1]}, "data.a[0] is 2, not 1"),
        ({"a": [1]}, {"a": [1, 2]}, "data.a is [1, 2], not [1]"),
        ({"a": []}, {"a": [1]}, "data.a is [1], not []"),
        ({"at": DateOf()}, {"at": "2022-03-14T21:08:50.5Z"}, "data.at is '2022-03-14T21:08:50.5Z', no date"),
    ],
)
def test_the_first_difference_is_reported(wanted, found, sentence):
    """Values, the order of lists and their lengths are exact, and the sentence says where they differ."""
    assert mismatch(wanted, found) == sentence


def test_others_play_the_same_steps():
    """The transcript with other people has the same steps."""
    book, others = demo_time(THE_BOOKS), demo_time(strangers())
    assert [(step.title, len(step.actions)) for step in book] == [(step.title, len(step.actions)) for step in others]
