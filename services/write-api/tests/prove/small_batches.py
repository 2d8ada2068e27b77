"""The relay with batches so small that two are often in flight. It prints their number after each change.

Usage: `python small_batches.py relay`. The proof kills it.
"""

from write_api.cli import main
from write_api.relay import pipeline

ROWS = 8


def printing(step):
    async def printed(running, *given):
        done = await step(running, *given)
        print("in flight", len(running._in_flight), flush=True)  # noqa: T201 - for the proof
        return done

    return printed


pipeline.BATCH = ROWS
pipeline.Pipeline._send = printing(pipeline.Pipeline._send)
pipeline.Pipeline._acknowledge = printing(pipeline.Pipeline._acknowledge)

raise SystemExit(main())
