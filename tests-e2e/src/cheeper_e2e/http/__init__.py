"""Any client of the HTTP API: requests, their replies and bounded concurrency."""
