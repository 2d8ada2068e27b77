import logging

import structlog

from cheeper_bench.cli import main

if __name__ == "__main__":
    # What the services' code says when it is called here is nobody's to read.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    raise SystemExit(main())
