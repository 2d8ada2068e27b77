"""Fetches an issuer's JSON Web Key Set, from a file or over HTTP, within a bound of time and of bytes."""

from __future__ import annotations

import time
from http.client import HTTPException
from pathlib import Path
from typing import Final
from urllib.request import HTTPDefaultErrorHandler, HTTPErrorProcessor, HTTPHandler, HTTPSHandler, OpenerDirector

from cheeper_runtime.tokens.issuers import Issuer

FETCH_SECONDS: Final = 3.0
_LARGEST: Final = 256 * 1024
_CHUNK: Final = 16 * 1024


def fetch(issuer: Issuer) -> bytes:
    """Return the set. Raise OSError if it cannot be had, within 3 s, and if it is too large. It blocks its thread."""
    if not issuer.jwks_is_remote:
        with Path(issuer.jwks).open("rb") as file:
            return _bounded(file.read(_LARGEST + 1))
    # No handler follows a redirect, reads a file or takes a proxy from the environment.
    opener = OpenerDirector()
    for handler in (HTTPHandler(), HTTPSHandler(), HTTPDefaultErrorHandler(), HTTPErrorProcessor()):
        opener.add_handler(handler)
    until = time.monotonic() + FETCH_SECONDS
    try:
        with opener.open(issuer.jwks, timeout=FETCH_SECONDS) as response:
            text = b""
            while chunk := response.read1(_CHUNK):
                text = _bounded(text + chunk)
                if time.monotonic() > until:
                    raise TimeoutError(f"not read within {FETCH_SECONDS:g} s")
            return text
    except HTTPException as error:
        raise OSError(f"no HTTP response: {type(error).__name__}") from error


def _bounded(text: bytes) -> bytes:
    if len(text) > _LARGEST:
        raise OSError(f"the key set has more than {_LARGEST} bytes")
    return text
