"""`python -m read_api` is `read-api`."""

from read_api.cli import main

main()
