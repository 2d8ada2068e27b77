"""One file per command's handler, and the bus that runs them in transactions."""
