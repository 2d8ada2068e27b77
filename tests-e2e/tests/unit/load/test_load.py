"""The errors of the load's command line, without a system."""

import pytest

from cheeper_e2e.load import __main__ as load


def run(graph, texts, *more):
    return load.main(["--url", "http://127.0.0.1:9", "--graph", str(graph), "--texts", str(texts), *more])


@pytest.mark.parametrize(
    ("graph", "texts", "sentence"),
    [
        (None, "Hello\n", "{graph} cannot be read: No such file or directory."),
        ("1 2\n", None, "{texts} cannot be read: No such file or directory."),
        ("1 2\n3\n", "Hello\n", "{graph}, line 2: '3' is not a pair of numbers."),
        ("1 2\n\n# note\n3 x\n", "Hello\n", "{graph}, line 4: '3 x' is not a pair of numbers."),
        ("1 1\n", "Hello\n", "{graph}, line 1: 1 cannot be a friend of itself."),
        ("\n", "Hello\n", "{graph} holds no edge, so there is nobody to sign up."),
        ("1 2\n", "Hello\n\nx\n", "{texts}, line 2: a cheep has 1 to 260 characters, this one 0."),
        ("1 2\n", "a" * 261, "{texts}, line 1: a cheep has 1 to 260 characters, this one 261."),
        ("1 2\n", "a\tb", "{texts}, line 1: a cheep cannot hold control characters."),
    ],
)
def test_files_that_cannot_be_loaded(tmp_path, capsys, graph, texts, sentence):
    """A missing file or a malformed line is reported in one sentence that names both, with exit code 2."""
    paths = {"graph": tmp_path / "graph", "texts": tmp_path / "texts"}
    for path, content in zip(paths.values(), (graph, texts), strict=True):
        if content is not None:
            path.write_text(content)
    assert run(paths["graph"], paths["texts"]) == 2
    assert capsys.readouterr().err == sentence.format(**paths) + "\n"


def test_a_file_that_is_not_utf_8(tmp_path, capsys):
    """Bytes that are no text are named by line."""
    graph, texts = tmp_path / "graph", tmp_path / "texts"
    graph.write_text("1 2\n")
    texts.write_bytes(b"Hello\nW\xf6rld\n")
    assert run(graph, texts) == 2
    assert capsys.readouterr().err == f"{texts}, line 2 is not UTF-8.\n"


def test_no_response_is_reported(tmp_path, capsys):
    """The load reports a gateway that does not respond, with exit code 2."""
    graph, texts = tmp_path / "graph", tmp_path / "texts"
    graph.write_text("1 2\n")
    texts.write_text("Hello\n")
    assert run(graph, texts, "--patience", "0") == 2
    assert capsys.readouterr().err.startswith("Nothing responds at http://127.0.0.1:9")
