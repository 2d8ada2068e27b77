import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheeper_contracts.folding import folded
from cheeper_contracts.text import TextTooLongError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Crème BRÛLÉE", "creme brulee"),
        ("Łódź Đặng Ærø Œuvre Þór", "lodz dang aero oeuvre thor"),
        ("Diyarbak\u0131r İstanbul", "diyarbakir istanbul"),
        ("Straße ﬁn", "strasse fin"),
        ("ħ ŧ ŋ ɓ ƙ ɛ ɔ ə", "h t n b k e o e"),
        ("ёлка й", "елка и"),
        ("Ἀθῆναι Σίσυφος", "αθηναι σισυφοσ"),
    ],
)
def test_letters_lose_case_accents_and_strokes(text, expected):
    """A letter that Unicode does not decompose stands for the letter that its name names."""
    assert folded(text, 100) == expected


@pytest.mark.parametrize(
    ("pointed", "plain"),
    [
        ("مَرْحَبًا", "مرحبا"),
        ("مـرحـبا", "مرحبا"),
        ("\u0622من", "\u0627من"),
        ("שָׁלוֹם", "שלום"),
        ("ܫܠܳܡܳܐ", "ܫܠܡܐ"),
        ("Schiff\u00adfahrt", "schifffahrt"),
        ("می\u200cروم", "میروم"),
        ("\u2067abc\u2069", "abc"),
        ("葛\U000e0100", "葛"),
    ],
)
def test_what_is_optional_in_writing_is_dropped(pointed, plain):
    """Points of Arabic, Hebrew and Syriac, and characters that only format or choose a variant, do not count."""
    assert folded(pointed, 100) == plain


@pytest.mark.parametrize("text", ["हिन्दी", "ภาษาที่", "が", "ក្យ", "한국어", "தமிழ்", "a\u200bb", "ב־ג"])
def test_what_makes_another_letter_or_word_is_kept(text):
    """Vowel signs, tone marks, voicing marks, and what stands between words are kept."""
    assert folded(text, 100) == text


@given(st.text())
def test_folded_text_is_folded(text):
    """Folding once more changes nothing, so that the words of a query and of a document meet."""
    once = folded(text, len(text))
    assert folded(once, len(once)) == once


def test_a_text_that_is_too_long_is_refused():
    """The bound is on what comes in, before anything looks at it."""
    with pytest.raises(TextTooLongError):
        folded("a" * 11, 10)
