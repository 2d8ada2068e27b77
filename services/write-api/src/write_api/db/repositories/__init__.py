"""The repositories of the aggregates in Postgres, each an identity map."""
