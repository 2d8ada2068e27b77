"""The log contains no value of a statement that blocks the relay."""

import pytest

from write_api.ops.redaction import redacted_name, redacted_statement


@pytest.mark.parametrize(
    ("query", "redacted"),
    [
        ("INSERT INTO t1 (a)\n  VALUES ('x''y', 42, 1.5e3)", "INSERT INTO t1 (a) VALUES (…, …, …)"),
        ("ALTER ROLE bob PASSWORD 'secret'", "ALTER ROLE bob PASSWORD …"),
        (r"SELECT E'it\'s secret', $$secret$$, $t$it's secret$t$", "SELECT …, …, …"),
        ("UPDATE authors SET email = $1 WHERE author_id = $2", "UPDATE authors SET email = $1 WHERE author_id = $2"),
        ("SELECT 1 /* by bob@example.com */ -- secret\nFROM t", "SELECT … FROM t"),
        ("UPDATE t SET a = 'secret that was cut o", "UPDATE t SET a = …"),
        ("SELECT $$secret that was cut o", "SELECT …"),
        ("COMMENT /* secret that was cut o", "COMMENT"),
        ('SELECT "bob@example.com" FROM "offset"', 'SELECT … FROM "offset"'),
        ("SELECT bob@example.com", "SELECT …"),
        ("SELECT " + "a, " * 500, ("SELECT " + "a, " * 500)[:200]),
        ("", ""),
    ],
)
def test_a_statement_is_logged_without_its_values(query, redacted):
    """Words and parameters stay; literals, numbers, comments and addresses are removed, also if they are cut off."""
    assert redacted_statement(query) == redacted


def test_the_name_of_a_program_is_logged_without_addresses():
    """Anybody may choose the name of a program."""
    assert redacted_name("psql of bob@example.com at night") == "psql of … at night"
