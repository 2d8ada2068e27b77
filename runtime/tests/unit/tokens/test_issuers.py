import msgspec
import pytest

from cheeper_runtime.settings import SettingError, read
from cheeper_runtime.tokens.issuers import Issuer, Issuers

ONE = '{"issuer": "https://id.example.org", "audience": "cheeper", "jwks": "/etc/jwks.json"}'


class Settings(msgspec.Struct, rename=str.upper):
    issuers: Issuers = ()


def test_issuers_are_a_json_list():
    """The claim of the caller is `sub` unless the setting names another one, and keys may be a file."""
    (issuer,) = read(Settings, {"ISSUERS": f"[{ONE}]"}).issuers
    assert issuer == Issuer(
        issuer="https://id.example.org", audience="cheeper", jwks="/etc/jwks.json", author_claim="sub"
    )
    assert not issuer.jwks_is_remote


@pytest.mark.parametrize(
    "text",
    ["id", "{}", "[7]", '[{"issuer": "x"}]', f"[{ONE}, {ONE}]", f'[{ONE[:-1]}, "typo": 1}}]', '[{"issuer": ""}]'],
)
def test_a_wrong_setting_is_named(text):
    """An unknown member, an empty text and an issuer that is named twice are refused at start-up."""
    with pytest.raises(SettingError, match="ISSUERS"):
        read(Settings, {"ISSUERS": text})
