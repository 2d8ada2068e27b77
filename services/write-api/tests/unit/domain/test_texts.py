import pytest
from hypothesis import given
from hypothesis import strategies as st

from write_api.domain.texts import has_controls, has_directional_controls, is_visible, isolated, may_stand_in_a_link

OPENING = {"\u202a": "\u202c", "\u202b": "\u202c", "\u202d": "\u202c", "\u202e": "\u202c"} | {
    "\u2066": "\u2069",
    "\u2067": "\u2069",
    "\u2068": "\u2069",
}
DIRECTIONAL = "".join(OPENING) + "\u202c\u2069"
DIRECTED = st.text(st.sampled_from(DIRECTIONAL * 2 + "ab\u05d0 \n\u2029"), max_size=30)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "\n", "\u00a0", "\u3000", "\u200b", "\u2066", "\u3164", "\u00ad", "\u115f\u1160", "\uffa0"),
        *("\u2800", "\u200d\ufe0f", "\u034f", "\u061c", "\ufeff", "\U000e0041", "\U0001d159", "\u180e", "\u2028"),
    ],
)
def test_what_cannot_be_seen(text):
    """White space, fillers, blanks and formatting show nothing, alone or with each other."""
    assert not is_visible(text)
    assert not is_visible(text + "\u200b \u2066")
    assert is_visible(text + "a")


@pytest.mark.parametrize(
    "text", ["a", ".", "\u05d0", "\u3042", "\N{GRINNING FACE}", "\u2764\ufe0f", "\u0301", "\ue000"]
)
def test_what_can_be_seen(text):
    """Letters, signs, emoji, and what a font may draw are visible."""
    assert is_visible(text)
    assert is_visible(f"\u200b{text}\u200b")


def test_newline_is_the_only_control():
    """Every other control character is one that a text may not have."""
    assert [point for point in range(0x200) if has_controls(chr(point))] == [
        point for point in (*range(32), *range(127, 160)) if point != 10
    ]


@pytest.mark.parametrize("character", [" ", "\n", "\x00", "\\", "\u00a0", "\u200b", "\u202e", "\ufeff"])
def test_what_may_not_stand_in_a_link(character):
    """Spaces, controls, what is invisible, and the backslash."""
    assert may_stand_in_a_link("https://a/\u00fc?b=\u6771#c")
    assert not may_stand_in_a_link(f"https://a/{character}")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\u202eb", "a\u202eb\u202c"),
        ("a\u2067b\nc", "a\u2067b\u2069\nc"),
        ("\u202b\u2066a", "\u202b\u2066a\u2069\u202c"),
        ("\u2067\u202ea\u2069b", "\u2067\u202ea\u2069b"),
        ("\u202e\u2066a\u202cb", "\u202e\u2066ab\u2069\u202c"),
        ("a\u202cb\u2069", "ab"),
        ("\u2068a\u2069", "\u2068a\u2069"),
        ("\u200fa\u200e", "\u200fa\u200e"),
    ],
)
def test_a_text_ends_its_own_directional_controls(text, kept):
    """A control is closed at the end of its paragraph, and one that closes nothing is dropped; marks stay."""
    assert isolated(text) == kept


def reaches_out(paragraph):
    """Return True if a directional control reaches out of the paragraph, by counting levels as UAX #9 does."""
    levels = []
    for character in paragraph:
        if character in OPENING:
            levels.append(character in "\u2066\u2067\u2068")
        elif character == "\u202c":
            if not levels or levels[-1]:
                return True
            levels.pop()
        elif character == "\u2069":
            if True not in levels:
                return True
            del levels[len(levels) - 1 - levels[::-1].index(True) :]
    return bool(levels)


@given(DIRECTED)
def test_no_control_reaches_out_of_a_text(text):
    """A paragraph closes what it opens and no more, and nothing else of it changes."""
    kept = isolated(text)
    assert not any(map(reaches_out, kept.replace("\u2029", "\n").split("\n")))
    assert [each for each in kept if each not in DIRECTIONAL] == [each for each in text if each not in DIRECTIONAL]
    assert [each for each in kept if each in OPENING] == [each for each in text if each in OPENING]
    assert isolated(kept) == kept


@given(DIRECTED)
def test_a_text_whose_controls_end_stays(text):
    """A text that is right is not touched."""
    paragraphs = text.replace("\u2029", "\n").split("\n")
    if not any(map(reaches_out, paragraphs)):
        assert isolated(text) == text
    assert has_directional_controls(text) == any(control in text for control in DIRECTIONAL)
