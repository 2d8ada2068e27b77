"""The version of the views that the audit compares."""

import pytest

from cheeper_audit import checkpoints
from cheeper_audit.stores import OtherVersionError, StoreState
from cheeper_contracts.views.generations import VERSIONS


def state(version, sequence=5):
    return StoreState(3, {0: sequence}, 0, 0, version)


@pytest.mark.parametrize("store", sorted(VERSIONS))
def test_an_older_a_newer_and_an_unknown_version_are_refused(store):
    """In a sentence that names the generation, both versions and what to do."""
    ours = VERSIONS[store]
    for version, named in ((ours - 1, f"version {ours - 1}"), (ours + 1, f"version {ours + 1}"), (None, "an unknown")):
        with pytest.raises(OtherVersionError, match=f"^{store} generation 3 is of {named}.*version {ours} alone: use"):
            checkpoints.refuse_other_version(store, state(version))


@pytest.mark.parametrize("store", sorted(VERSIONS))
def test_the_version_of_the_audit_and_an_empty_store_are_taken(store):
    """A store that no projector has filled has no version yet."""
    checkpoints.refuse_other_version(store, state(VERSIONS[store]))
    checkpoints.refuse_other_version(store, state(None, sequence=0))
