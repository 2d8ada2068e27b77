from __future__ import annotations

import msgspec
import pytest

from cheeper_audit.comparison.in_service import Suspects, persisting
from cheeper_audit.difference import Difference, Fault

pytestmark = pytest.mark.proves(guarantee="audit")

HAS, LACKS = Fault("with x", "without it"), Fault("without y", "with it")


def difference(*faults):
    return Difference(store="redis", view="followers", id="a", faults=faults)


def test_only_what_is_wrong_in_the_same_way_persists():
    """A fault that has disappeared, or is new, counts as lag until a later comparison finds it again."""
    assert persisting(difference(HAS, LACKS), difference(LACKS)) == difference(LACKS)
    assert persisting(difference(HAS), difference(LACKS)) is None


def test_what_is_wrong_in_the_same_way_by_chance_is_lag():
    """A count under load that is one behind at a look and again at the next is right, or else wrong, at a third."""
    suspects = Suspects([difference(HAS)])
    assert suspects.confirm([difference(HAS)]) == []
    assert suspects.confirm([difference(LACKS)]) == []
    assert suspects.confirm([difference(LACKS)]) == []
    assert suspects.confirm([]) == []
    assert len(suspects) == 0


def test_what_stays_wrong_is_certain():
    """With the fault that stayed; what came right is no suspect any more, nor is what is new."""
    suspects = Suspects([difference(HAS, LACKS), msgspec.structs.replace(difference(HAS), id="b")])
    assert suspects.confirm([difference(LACKS), msgspec.structs.replace(difference(HAS), id="c")]) == []
    assert suspects.confirm([difference(LACKS, HAS), msgspec.structs.replace(difference(HAS), id="b")]) == [
        difference(LACKS)
    ]
