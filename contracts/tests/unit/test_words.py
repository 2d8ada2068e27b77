import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheeper_contracts.words import words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, World! hello", ["hello", "world"]),
        ("Crème BRÛLÉE", ["brulee", "creme"]),
        ("snake_case and-dash", ["and", "case", "dash", "snake"]),
        ("Straße ﬁn №5", ["fin", "no5", "strasse"]),
        ("東京 2024", ["2024", "東京"]),
        ("İstanbul", ["istanbul"]),
        ("हिन्दी और हन", ["और", "हन", "हिन्दी"]),
        ("がか 한국어", ["がか", "한국어"]),
        ("\N{GRINNING FACE} … !", []),
        ("", []),
    ],
)
def test_words_have_neither_case_nor_accents(text, words):
    """Words are split at what is no letter or digit, and compared without case and accents."""
    assert words_of(text) == words


def test_words_of_several_texts_are_one_list():
    """A text that is None has no words."""
    assert words_of("bob", None, "Bob Builder") == ["bob", "builder"]


@given(st.text())
def test_words_of_words_are_the_same(text):
    """The words of a document and the words of a query are the same."""
    words = words_of(text)
    assert words_of(" ".join(words)) == words


@given(st.text(st.characters(max_codepoint=127)))
def test_the_words_of_plain_letters_are_the_same_beside_others(text):
    """A text of ASCII alone is split like any other."""
    assert words_of(f"{text} ł") == sorted({*words_of(text), "ł"})
