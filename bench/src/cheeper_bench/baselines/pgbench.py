"""The statements of a handled command as scripts of pgbench: what PostgreSQL gives without Kafka and Python."""

from __future__ import annotations

from pathlib import Path
from typing import Final

AUTHOR_SQL: Final = "('00000000-0000-4000-8000-' || lpad(to_hex({}), 12, '0'))::uuid"
"""The id of an author by its number, a SQL expression."""
_PAYLOAD: Final = "x" * 240  # about as long as that of the events


def scripts(folder: Path, authors: int) -> tuple[Path, Path]:
    """Write the scripts of PostCheep and Follow for authors with numbers from 0 into the folder. Return their paths."""
    # pgbench takes a colon with a word behind it for a variable, in a text as well.
    author, other = AUTHOR_SQL.format(":author::int"), AUTHOR_SQL.format(":other::int")
    begin = f"\\set author random(0, {authors - 1})\n\\set other random(0, {authors - 1})\n"
    begin += "\\set now random(1, 1000000000000)\n"
    rest = f"""INSERT INTO outbox (message_id, type, source, "time", key, correlation_id, reply_to, payload)
VALUES (gen_random_uuid(), 'cheeper.cheep-posted.v1', '/bench', :now, {author}::text, gen_random_uuid(),
    gen_random_uuid(), '"{_PAYLOAD}"');
INSERT INTO handled_commands (message_id, digest, key, accepted, outcome, at)
VALUES (gen_random_uuid(), '\\x00', {author}::text, true,
    '{{"changed": true, "code": null, "message": null, "accepted": false}}', :now);
COMMIT;
"""
    post = f"""{begin}BEGIN;
SELECT username FROM authors WHERE author_id = {author};
INSERT INTO cheeps (cheep_id, author_id, message, cheep_date, post_digest)
VALUES (gen_random_uuid(), {author}, 'cheep number 1, which is about as long as most of them are', :now, '\\x00');
{rest}"""
    follow = f"""{begin}BEGIN;
INSERT INTO follows (follow_id, from_author_id, to_author_id, followed_at)
VALUES (gen_random_uuid(), {author}, {other}, :now) ON CONFLICT DO NOTHING;
{rest}"""
    paths = folder / "post.sql", folder / "follow.sql"
    for path, text in zip(paths, (post, follow), strict=True):
        path.write_text(text)
    return paths
