from __future__ import annotations

from cheeper_audit.difference import Difference, Fault
from cheeper_audit.watch import persisting

HAS, LACKS = Fault("with x", "without it"), Fault("without y", "with it")


def difference(*faults):
    return Difference(store="redis", view="followers", id="a", faults=faults)


def test_only_what_is_wrong_in_the_same_way_persists():
    """What came right, and what went wrong meanwhile, is lag until it is seen again."""
    assert persisting(difference(HAS, LACKS), difference(LACKS)) == difference(LACKS)
    assert persisting(difference(HAS), difference(LACKS)) is None
