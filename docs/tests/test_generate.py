import importlib
import re
from pathlib import Path

import pytest

from cheeper_contracts.catalogue import LEADS_TO

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "docs" / "tools"


@pytest.fixture
def generate(monkeypatch):
    """The tool, as a module."""
    monkeypatch.syspath_prepend(TOOLS)
    return importlib.import_module("generate")


def test_what_is_not_of_the_code_is_written_anew(generate):
    """A key that is wrong in the page is put right, and the text around the part stays."""
    page = (ROOT / "docs" / "messages.md").read_text()
    stale = page.replace("`to_author_id`", "`from_author_id`")
    assert stale != page
    assert generate.written("docs/messages.md", stale) == page


def test_a_part_without_a_place_is_an_error(generate):
    """A page that lost a marker is an error."""
    with pytest.raises(LookupError, match="begin views"):
        generate.written("docs/messages.md", (ROOT / "docs" / "messages.md").read_text().replace("begin views", ""))


def test_every_message_is_drawn_with_its_key():
    """Each command and each event of the contracts is a node of some diagram, and each diagram's are the contracts'."""
    drawn = set(re.findall(r'\["(\w+)<br/>key: (\w+)"\]', (ROOT / "docs" / "messages.md").read_text()))
    assert drawn == {(message.__name__, message.KEY) for pair in LEADS_TO.items() for message in pair}
