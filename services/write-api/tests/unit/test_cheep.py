import pytest

from write_api.domain.cheep import Cheep
from write_api.domain.errors import CheepIdTaken
from write_api.domain.values import CheepText, Identifier

BOB, ALICE = Identifier("a64a52cc-3ee9-4a15-918b-099e18b43119"), Identifier("1fd7d739-2ad7-41a8-8c18-565603e3733f")


def test_a_repeat_is_of_the_first_text():
    """After an edit the first post still passes as a repeat, and the new text does not."""
    cheep = Cheep.posted(Identifier("1"), BOB, CheepText("First"), 1)
    cheep.message = CheepText("Edited")
    cheep.accept_repeat(BOB, CheepText("First"))
    for author, text in ((BOB, "Edited"), (ALICE, "First")):
        with pytest.raises(CheepIdTaken):
            cheep.accept_repeat(author, CheepText(text))
