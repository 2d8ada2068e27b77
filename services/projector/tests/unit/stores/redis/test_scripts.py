import re

import pytest

from cheeper_contracts import views
from projector.stores.redis import scripts

HEAD = re.compile(r"^-- (Needs|Gives)  (.*(?:\n--        .*)*)", re.MULTILINE)
LOCALS = [
    re.compile(each)
    for each in (r"\blocal (?:function )?([\w, ]+)", r"\bfor ([\w, ]+) (?:in|=)", r"\bfunction\b.*?\((.*?)\)")
]

OUTER = re.compile(r"^local (?:function )?([\w, ]+)", re.MULTILINE)


def head(text):
    """Return the names that the head of a Lua file declares as needed and given."""
    return {word: set(re.findall(r"\w+", re.sub(r"\(.*?\)", "", names))) for word, names in HEAD.findall(text)}


def names(text):
    """Return the names that a Lua file uses, those that it declares anywhere, and those that other files could see."""
    code = re.sub(r"--.*|'[^']*'", "", text)
    declared = {name.strip() for pattern in LOCALS for each in pattern.findall(code) for name in each.split(",")}
    outer = {name.strip() for each in OUTER.findall(code) for name in each.split(",")}
    return set(re.findall(r"(?<![.\w])[A-Za-z_]\w*", code)), declared, outer


@pytest.mark.parametrize("function", scripts.PARTS)
def test_a_file_says_what_it_needs_of_the_files_before_it(function):
    """A file uses a local of another one only if its own head names it, and the other one's head gives it."""
    given, hidden = {"NAME", "STREAM", "key"} | head(views.lua_prelude())["Gives"], set()
    for part in scripts.PARTS[function]:
        text = scripts.text(part)
        used, declared, outer = names(text)
        needs, gives = head(text)["Needs"], head(text).get("Gives", set()) & outer
        assert not used & given - declared - needs, f"{part}.lua does not say what it needs"
        assert not used & hidden - declared, f"{part}.lua uses what another file does not give"
        given |= gives
        hidden |= outer - gives
