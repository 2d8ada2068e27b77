import logging

import structlog

from cheeper_bench.cli import main

if __name__ == "__main__":
    # Nobody reads the log of the services' code that is called here.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    raise SystemExit(main())
