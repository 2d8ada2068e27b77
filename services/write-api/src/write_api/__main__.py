"""`python -m write_api …` is `write-api …`."""

from write_api.cli import main

raise SystemExit(main())
