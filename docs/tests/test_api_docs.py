"""The merged API document, the page of the messages, and Swagger UI's files."""

import importlib
import json
from pathlib import Path

import msgspec
import pytest

from cheeper_contracts.catalogue import COMMANDS, EVENTS
from cheeper_contracts.http.responses import Answer, Problem
from cheeper_contracts.http.routes import ROUTES

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "docs" / "tools"
FOLDER = ROOT / "services" / "api-docs"


@pytest.fixture
def tool(monkeypatch):
    """A module of the tools."""
    monkeypatch.syspath_prepend(TOOLS)
    return importlib.import_module


@pytest.fixture(scope="module")
def document():
    """The document that is served."""
    return json.loads((FOLDER / "openapi.json").read_text())


def operations(document):
    """Each operation with its path and method."""
    return [(path, method.upper(), each) for path, of in document["paths"].items() for method, each in of.items()]


def test_what_is_served_is_what_the_code_has(tool):
    """The checked-in files are what the tool would write, and Swagger UI's are as its package ships them."""
    api_docs = tool("api_docs")
    assert {path: path.read_text() for path in api_docs.derived()} == api_docs.derived()
    assert api_docs.altered() == []


def test_a_file_that_was_altered_is_named(tool, tmp_path, monkeypatch):
    """A changed, a missing and a foreign file of Swagger UI are each named."""
    api_docs = tool("api_docs")
    for path in api_docs.SWAGGER_UI.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "swagger-ui.css").write_text("body {}")
    (tmp_path / "NOTICE").unlink()
    (tmp_path / "own.js").write_text("1")
    monkeypatch.setattr(api_docs, "SWAGGER_UI", tmp_path)
    monkeypatch.setattr(api_docs, "SHIPPED", tmp_path / "SHA256SUMS")
    assert api_docs.altered() == ["NOTICE", "own.js", "swagger-ui.css"]


def test_the_document_has_every_route_once(document):
    """Each path and method of the API is there, with a name of its own, beside identity's."""
    found = operations(document)
    routes = {(route.path, method) for route in ROUTES for method in (*route.queries, *route.commands)}
    described = {(path, method) for path, method, each in found if each["tags"] != ["accounts"]}
    assert described == {each for each in routes if each[1] != "HEAD"}
    names = [each["operationId"] for _, _, each in found]
    assert len(set(names)) == len(names)


def test_names_and_summaries_are_those_of_the_readme(document, tool):
    """The README's tables name each operation as the document does, and say the same of it."""
    listings = tool("listings")
    rows = [line.strip("| ").split(" | ") for line in (listings.commands() + "\n" + listings.queries()).splitlines()]
    named = {
        each["operationId"]: each["summary"] for _, _, each in operations(document) if each["tags"] != ["accounts"]
    }
    assert {row[0]: row[2] for row in rows if row[0] in named} == {
        name: summary for name, summary in named.items() if name not in {"TimelineStream", "NotificationStream"}
    }


def test_each_request_and_each_error_has_an_example(document):
    """Each body has an example, and each error one for each of its codes, in the form of a response."""
    for _, _, each in operations(document):
        if "requestBody" in each:
            assert each["requestBody"]["content"]["application/json"]["example"]
        for status, response in each["responses"].items():
            if int(status) < 400:
                continue
            examples = response["content"]["application/json"]["examples"]
            assert list(examples) == response["description"].split(", ")
            for code, example in examples.items():
                assert msgspec.convert(example["value"], Answer[Problem]).data.code == code


def test_two_documents_with_one_operation_are_an_error(tool):
    """An operation or a component that two documents describe differently is no merge."""
    merged_openapi = tool("merged_openapi")
    part = {"paths": {"/a": {"get": {}}}, "components": {"schemas": {"A": {"type": "object"}}}}
    with pytest.raises(ValueError, match="two documents have get of /a"):
        merged_openapi.merged([part, part])
    other = {"paths": {}, "components": {"schemas": {"A": {"type": "string"}}}}
    with pytest.raises(ValueError, match="two documents have A of schemas"):
        merged_openapi.merged([part, other])


def test_the_page_has_each_message_with_its_key_and_its_ways():
    """Each message of the catalogue has a section with its key, a producer, consumers, schema and example."""
    page = (FOLDER / "messages.html").read_text()
    for message in (*COMMANDS, *EVENTS):
        (section,) = [part for part in page.split("<section ") if part.startswith(f'id="{message.TYPE}"')]
        assert f"<dt>Key</dt><dd><code>{message.KEY}</code></dd>" in section
        assert "<dt>Producer</dt><dd>write-api" in section
        assert "<dt>Consumers</dt><dd>" in section
        assert section.count("<pre") == 2
