import pytest

from identity import cli
from identity.cli import main


def test_a_wrong_setting_ends_the_process_with_its_name(monkeypatch, capsys):
    """A process with a missing setting does not start; the exit code is 2."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert main(["http"]) == 2
    assert capsys.readouterr().err.startswith("identity http: DATABASE_URL")


@pytest.mark.parametrize("arguments", [[], ["serve"], ["roles"]])
def test_an_unknown_command_is_refused(arguments, capsys):
    """The command line names what there is."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: identity" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["migrate"], {"role": "migrate"}),
        (["http"], {"role": "http"}),
        (["rotate-keys"], {"role": "rotate-keys"}),
        (["roles", "ann@example.org", "operator"], {"account": "ann@example.org", "roles": ["operator"]}),
        (["roles", "a64a52cc-3ee9-4a15-918b-099e18b43119"], {"roles": []}),
    ],
)
def test_each_command_has_what_its_role_needs(given, expected):
    """The command line reads a role and what it is about; without roles an account has none."""
    assert expected.items() <= vars(cli._parser().parse_args(given)).items()


def test_a_wrong_provider_ends_the_process_with_its_setting(monkeypatch, capsys):
    """A provider that cannot be used is reported at start-up, and its secret file is not shown."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1/x")
    monkeypatch.setenv("SIGN_IN_PROVIDERS", '[{"name": "example"}]')
    assert main(["http"]) == 2
    assert capsys.readouterr().err.startswith("identity http: SIGN_IN_PROVIDERS")
