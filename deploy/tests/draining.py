"""A service on the HTTP server of the runtime kit, which the gateway's tests restart.

    python draining.py PORT

Responds to any request with 200 and the number of the process.
"""

import os
import sys

import uvloop

from cheeper_runtime.http_server import http_server

BODY = b'{"data":{"name":"%d"},"meta":{}}' % os.getpid()
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]


async def app(scope, receive, send):
    """Respond to one request, or take part in the lifespan."""
    if scope["type"] == "lifespan":
        for kind in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{kind}.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


if __name__ == "__main__":
    uvloop.run(http_server(app, "127.0.0.1", int(sys.argv[1])).serve())
