"""The schema: its tables as the code sees them, its migrations, and the check that a database has them."""
