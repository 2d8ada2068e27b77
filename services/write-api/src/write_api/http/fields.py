"""How fields of bodies are described in OpenAPI. The rules themselves are the domain's values."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Id = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
Text = Annotated[str, Meta(extra_json_schema={"pattern": r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*$"})]
