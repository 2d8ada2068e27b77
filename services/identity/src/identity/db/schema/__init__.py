"""The schema, its migrations, and the database role."""
