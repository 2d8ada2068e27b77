"""How fields of forms are described in OpenAPI. The rules themselves are the domain's values."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from write_api.domain import values

Id = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
Text = Annotated[str, Meta(extra_json_schema={"pattern": r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*$"})]
Username = Annotated[str, Meta(extra_json_schema={"pattern": values.USERNAME_PATTERN})]
Email = Annotated[str, Meta(extra_json_schema={"format": "email", "maxLength": values.EMAIL_LENGTH})]
Name = Annotated[Text, Meta(extra_json_schema={"minLength": 1, "maxLength": values.NAME_LENGTH})]
Bio = Annotated[Text, Meta(extra_json_schema={"maxLength": values.BIO_LENGTH})]
Location = Annotated[Text, Meta(extra_json_schema={"maxLength": values.LOCATION_LENGTH})]
Website = Annotated[str, Meta(extra_json_schema={"format": "uri", "maxLength": values.WEBSITE_LENGTH})]
BirthDate = Annotated[str, Meta(extra_json_schema={"format": "date"})]
Message = Annotated[
    Text,
    Meta(
        description=f"1 to {values.MESSAGE_LENGTH} characters; white space around it does not count",
        extra_json_schema={"minLength": 1},
    ),
]
