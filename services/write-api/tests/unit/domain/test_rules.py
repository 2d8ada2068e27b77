import pytest

from write_api.domain import values
from write_api.domain.rules import at_most

pytestmark = pytest.mark.proves(guarantee="callers")

STRANGE = ("a", "\u0300", " ", "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}", "\U0001f1e9", "@", "/")


def test_a_text_that_is_too_long_does_not_reach_the_rule():
    """A rule gets no text that has more than four times its characters, which is as many as decomposing could make."""
    seen = []
    rule = at_most(3)(seen.append)
    rule("x" * 12)
    with pytest.raises(ValueError, match=r"^must have at most 3 characters$"):
        rule("x" * 13)
    assert seen == ["x" * 12]


def test_a_trimmed_text_is_measured_without_the_white_space_around_it():
    """White space around a text costs no characters, and white space within it does."""
    rule = at_most(1, trimmed=True)(str.upper)
    assert rule(" " * 60_000 + "a" + "\n" * 5_000) == "A"
    with pytest.raises(ValueError, match="at most 1 "):
        rule("a" + " " * 60_000 + "b")


@pytest.mark.parametrize("field", values.RULES)
@pytest.mark.parametrize("one", STRANGE)
def test_every_field_refuses_a_whole_body_of_one_character(field, one):
    """No field accepts a text of 64 KB, or does more with it than measure it."""
    with pytest.raises(ValueError, match=r"^must (have|be) "):
        values.RULES[field](one * 65_536)
