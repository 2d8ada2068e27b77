"""The relay with batches so small that it often has two on their way, and says how many after each change.

Usage: `python small_batches.py relay`. It is made to be killed.
"""

from write_api.cli import main
from write_api.relay import pipeline as flow

ROWS = 8


def saying(step):
    async def said(running, *given):
        done = await step(running, *given)
        print("on their way", len(running._flights), flush=True)  # noqa: T201 - for the proof
        return done

    return said


flow.BATCH = ROWS
flow.Flow._send = saying(flow.Flow._send)
flow.Flow._confirm = saying(flow.Flow._confirm)

raise SystemExit(main())
