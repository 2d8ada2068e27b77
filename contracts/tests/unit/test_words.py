import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheeper_contracts.words import MOST_WORDS, words_of

KANA_AND_HAN = "日本語のつぶやきが東京ガ々〇"
THAI = "ภาษาไทยที่รัก"


def finds(q, text):
    """Return whether each word of q begins some word of the text."""
    return all(any(word.startswith(wanted) for word in words_of(text)) for wanted in words_of(q))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, World! hello", ["hello", "world"]),
        ("Crème BRÛLÉE", ["brulee", "creme"]),
        ("snake_case and-dash", ["and", "case", "dash", "snake"]),
        ("Straße ﬁn №5", ["fin", "no5", "strasse"]),
        ("東京 2024", ["2024", "京", "東京"]),
        ("東京2024年abc", ["2024", "abc", "京", "年", "東京"]),
        ("İstanbul, Łódź", ["istanbul", "lodz"]),
        ("हिन्दी और हन", ["और", "हन", "हिन्दी"]),
        ("がか 한국어", ["か", "がか", "한국어"]),
        ("ที่รัก", ["ก", "ที่รั", "รัก"]),
        ("\N{GRINNING FACE} … !", []),
        ("", []),
    ],
)
def test_words_are_folded_and_split(text, words):
    """Words are split at what is no letter or digit, and compared without case and accents."""
    assert words_of(text) == words


def test_words_of_several_texts_are_one_list():
    """A text that is None has no words."""
    assert words_of("bob", None, "Bob Builder") == ["bob", "builder"]


@pytest.mark.parametrize(
    ("q", "text"),
    [("つぶやき", "日本語のつぶやき"), ("مرحبا", "مَرْحَبًا"), ("lodz", "Łódź"), ("Łódź", "lodz"), ("רחוב", "רְחוֹב")],
)
def test_what_people_write_in_another_way_is_found(q, text):
    """A part of a text without spaces is found, and so is a word with or without its optional marks and strokes."""
    assert finds(q, text)


@given(text=st.text(KANA_AND_HAN + " a1", min_size=1), data=st.data())
def test_any_part_of_a_text_without_spaces_is_found(text, data):
    """Each word of a part begins a word of the whole, wherever the part begins and ends."""
    start = data.draw(st.integers(0, len(text) - 1))
    part = text[start : data.draw(st.integers(start + 1, len(text)))]
    beginnings = [
        position for position in range(len(text)) if text[position - 1 : position] in {*KANA_AND_HAN, " ", ""}
    ]
    if start in beginnings or text[start] in KANA_AND_HAN:
        assert finds(part, text)


@given(text=st.text(KANA_AND_HAN + THAI, min_size=2))
def test_adjacent_characters_that_no_text_contains_are_not_found(text):
    """Two characters are found only if they are neighbours somewhere, or begin a pair with their marks."""
    first, second = text[0], text[1]
    apart = f"{first} {second} {first}"
    assert finds(first + second, text)
    if first != second and len(words_of(first + second)) == 2:
        assert not finds(first + second, apart)


@given(st.text())
def test_each_word_of_a_text_finds_it(text):
    """The words of a document and the words of a query are compared alike, whatever a text is made of."""
    assert all(finds(word, text) for word in words_of(text))


@given(st.lists(st.text(st.characters(exclude_categories=["Lo", "M"])), max_size=5).map(" ".join))
def test_words_of_words_are_the_same(text):
    """In scripts with spaces the words of words are the same."""
    words = words_of(text)
    assert words_of(" ".join(words)) == words


def test_the_number_of_words_is_bounded():
    """The longest message has as many bigrams as characters; of a text that has more words, the first count."""
    message = "".join(chr(0x4E00 + number) for number in range(260))
    assert len(words_of(message)) == 260
    many = " ".join(f"{number}" for number in range(2 * MOST_WORDS))
    assert len(words_of(many[:1_000], many[1_000:2_000], "\u332a" * 1_024, many[5_000:])) <= MOST_WORDS
    assert len(words_of(*(many[first : first + 1_000] for first in range(0, len(many), 1_000)))) == MOST_WORDS


@given(st.text(st.characters(max_codepoint=127)))
def test_the_words_of_plain_letters_are_the_same_beside_others(text):
    """A text of ASCII alone is split like any other."""
    assert words_of(f"{text} ł") == sorted({*words_of(text), "l"})
