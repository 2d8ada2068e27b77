"""The chain of migrations."""

from alembic.script import ScriptDirectory

from write_api.db.schema.migrate import _config
from write_api.db.schema.revision import newest_revision


def test_the_revisions_are_one_chain_in_the_order_of_their_numbers():
    """Two branches that take one number are noticed before a server is."""
    found = [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]
    assert found == [f"{number:04}" for number in range(len(found), 0, -1)]
    assert found[0] == newest_revision()
