"""Write the API documentation that the gateway serves: openapi.json and the page of the messages.

    python docs/tools/api_docs.py            write
    python docs/tools/api_docs.py --check    write nothing; name each file that differs, exit code 1

Swagger UI's own files stand beside them as its package ships them; their hashes are compared too.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path
from typing import Final

import merged_openapi
import messages_page
from use_cases import ROOT

FOLDER: Final = ROOT / "services" / "api-docs"
SWAGGER_UI: Final = FOLDER / "swagger-ui"
SHIPPED: Final = SWAGGER_UI / "SHA256SUMS"
"""The package, its version, and the hash of each of its files."""


def derived() -> dict[Path, str]:
    """Return the derived files."""
    document = merged_openapi.merged(merged_openapi.documents())
    return {
        FOLDER / "openapi.json": merged_openapi.text_of(document),
        FOLDER / "messages.html": messages_page.page(),
    }


def altered() -> list[str]:
    """Return the names of Swagger UI's files that are missing, or not as its package ships them."""
    lines = [line.split() for line in SHIPPED.read_text().splitlines() if not line.startswith("#")]
    hashes = {name: wanted for wanted, name in lines}
    found = {path.name: sha256(path.read_bytes()).hexdigest() for path in SWAGGER_UI.iterdir() if path != SHIPPED}
    return sorted(name for name in hashes.keys() | found.keys() if hashes.get(name) != found.get(name))


def main(arguments: list[str]) -> int:
    """Write or check the files. Return the exit code."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    wrong = [f"{name}: not as the package of Swagger UI ships it" for name in altered()]
    for path, wanted in derived().items():
        if path.exists() and path.read_text() == wanted:
            continue
        if arguments:
            wrong.append(f"{path.name}: not up to date, run docs/tools/api_docs.py")
        else:
            path.write_text(wanted)
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
