"""The comparison finds a difference in every view, where the write model was changed behind the system's back."""

import psycopg
import pytest

from cheeper_e2e.actions.random_traffic import RandomTraffic
from cheeper_e2e.oracle.comparison import ALL, differences, report, wait_until_quiescent
from cheeper_e2e.oracle.write_model import WriteModel

SEED = 5

pytestmark = [pytest.mark.local, pytest.mark.extended, pytest.mark.takes(seconds=30)]

# Changes of the author with most cheeps and of the other authors, and the views that must show them.
CHANGES = {
    "UPDATE authors SET bio = 'changed' WHERE author_id = %(author)s": {"/author/{author} ", "/author?username="},
    "DELETE FROM follows WHERE to_author_id = %(author)s": {
        "/author/{author}/followers-counter",
        "/author/{author}/followers",
        "/following",
        "/timeline",
    },
    "UPDATE cheeps SET message = 'changed' WHERE cheep_id = %(cheep)s": {
        "/author/{author}/cheeps",
        "/cheep/{cheep} ",
        "/search?",
    },
    "UPDATE cheeps SET in_reply_to = %(cheep)s WHERE cheep_id = %(other)s": {
        "/cheep/{cheep}/answers",
        "/cheep/{other} ",
    },
    "UPDATE cheeps SET deleted_at = 1 WHERE cheep_id = %(cheep)s": {"/cheep/{cheep} returns (200, None)"},
    "DELETE FROM notifications WHERE author_id = %(author)s AND kind = 'welcome'": {"/author/{author}/notifications"},
    "UPDATE authors SET name = 'changed' WHERE author_id = %(author)s": {"/search/authors?"},
    "UPDATE handled_commands SET outcome = jsonb_set(outcome::jsonb, '{changed}', 'true') "
    "WHERE key = %(author)s AND outcome ->> 'changed' = 'false'": {"/command/"},
}


async def test_every_view_is_compared(patient, local_stack):
    """At first no view differs; each change of the write model is found in each view that shows it."""
    url = local_stack.environment["DATABASE_URL"]
    traffic = RandomTraffic(patient, SEED, authors=5)
    await traffic.send(300, 5)

    async def compare():
        searches = [traffic.scene.tag]
        return await differences(patient, model, traffic.sender, traffic.author_ids, searches=searches)

    with WriteModel(url) as model, psycopg.connect(url, autocommit=True) as connection:
        await wait_until_quiescent(patient, model, traffic.sender, traffic.author_ids, 60)
        assert await compare() == {}
        author, cheep, other = connection.execute(
            "SELECT author_id::text, min(cheep_id::text), max(cheep_id::text) FROM cheeps "
            "WHERE author_id = ANY (%s) AND deleted_at IS NULL GROUP BY author_id ORDER BY count(*) DESC LIMIT 1",
            [traffic.author_ids],
        ).fetchone()
        names = {"author": author, "cheep": cheep, "other": other}
        for change, places in CHANGES.items():
            assert connection.execute(change, names).rowcount > 0, change
            found = await compare()
            sentences = "\n".join(sentence for each in found.values() for sentence in each)
            for place in places:
                assert place.format(**names) in sentences, (change, place)
    story = report({author: found[author]}, traffic.sender).partition("\n\n")[2].splitlines()
    assert any(line.startswith("curl") for line in story)
    assert all(author in line for line in story if line.startswith("curl"))
    assert "/search" in report({ALL: found[ALL]}, traffic.sender)
