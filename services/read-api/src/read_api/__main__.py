"""Runs `read-api` as `python -m read_api`."""

from read_api.cli import main

main()
