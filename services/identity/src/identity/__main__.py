"""Runs `identity` as `python -m identity`."""

import sys

from identity.cli import main

sys.exit(main())
