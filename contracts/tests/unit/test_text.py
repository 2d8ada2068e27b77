import ast
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cheeper_contracts import text

pytestmark = pytest.mark.proves(guarantee="callers")

ROOT = Path(__file__).resolve().parents[3]
UNBOUNDED = {"casefold", "normalize", "is_normalized"}
MANY_MARKS = st.text(st.sampled_from("aé\u0300\u0316\u0344ﬀ각각\U0001f1e9"), max_size=80)


def longest_run(sent):
    best = run = 0
    for character in sent:
        run = run + 1 if unicodedata.category(character) in {"Mn", "Me"} or unicodedata.combining(character) else 0
        best = max(best, run)
    return best


def test_no_character_decomposes_into_more():
    """Four is the most code points that the canonical decomposition of any one has."""
    points = (chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point <= 0xDFFF)
    assert max(len(unicodedata.normalize("NFD", each)) for each in points) == text.DECOMPOSED


@settings(deadline=None)
@given(st.text(max_size=40) | MANY_MARKS, st.integers(0, 40))
@example("e\u0301" * 40, 40)
@example("\N{GREEK SMALL LETTER ALPHA WITH PSILI AND VARIA AND YPOGEGRAMMENI}" * 40, 40)
def test_a_text_is_accepted_by_its_characters_in_nfc(sent, most):
    """A text in any form is accepted if its NFC is short enough, and it comes back in NFC."""
    normal = unicodedata.normalize("NFC", sent)
    for form in (sent, normal, unicodedata.normalize("NFD", sent)):
        if len(normal) <= most and longest_run(form) <= text.MARKS_IN_A_ROW:
            assert text.nfc(form, most) == normal
        else:
            with pytest.raises(ValueError, match=r"^must have at most"):
                text.nfc(form, most)


@pytest.mark.parametrize("mark", ["\u0300", "\u302e", "\U0001d165", "\u20dd", "\u064b", "\u0e31", "\ufe0f"])
def test_marks_are_not_piled_up(mark):
    """Thirty combining marks may follow one another, and not one more."""
    assert text.nfc(f"q{mark * 30}", 260).startswith("q")
    with pytest.raises(text.TooManyMarksError):
        text.nfc(f"q{mark * 31}", 260)


class Normalizer:
    """Unicode's data, as a text asks for it, that counts the code points that it normalises."""

    combining, category = staticmethod(unicodedata.combining), staticmethod(unicodedata.category)

    def __init__(self):
        self.normalised = 0

    def normalize(self, form, sent):
        self.normalised += len(sent)
        return unicodedata.normalize(form, sent)


@pytest.mark.parametrize(
    "sent",
    ["a" + "\u0300" * 15_500 + "\u0316" * 15_500, "\u0344" * 32_000, "a\u0300" * 16_000, "x" * 64_000],
    ids=["two marks", "double marks", "letters with marks", "letters"],
)
def test_nothing_long_is_normalised(sent, monkeypatch):
    """A text that cannot be accepted is not normalised at all, however long it is."""
    unicode_data = Normalizer()
    monkeypatch.setattr(text, "unicodedata", unicode_data)
    for function in (
        lambda: text.nfc(sent, 260),
        lambda: text.normalized("NFKD", sent, 1_024),
        lambda: text.casefolded(sent, 1_024),
    ):
        with pytest.raises(text.TextTooLongError):
            function()
    assert unicode_data.normalised == 0


def test_folding_and_normal_forms_are_unicodes():
    """A text within the bound gets what Unicode says."""
    assert text.normalized("NFKD", "ﬁn№é", 4) == "finNoe\u0301"
    assert text.casefolded("Straße", 6) == "strasse"


def test_no_other_module_normalises_or_folds():
    """Whoever would normalise or fold a text without a bound has to come here for it."""
    offenders = set()
    for path in ROOT.glob("*/**/src/**/*.py"):
        code = path.read_text()
        if any(name in code for name in UNBOUNDED):
            attributes = (node.attr for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Attribute))
            offenders |= {path.relative_to(ROOT).as_posix() for attribute in attributes if attribute in UNBOUNDED}
    assert offenders == {"contracts/src/cheeper_contracts/text.py"}
