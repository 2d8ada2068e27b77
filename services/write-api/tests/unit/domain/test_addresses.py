import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from write_api.domain.addresses import is_website, normal_address, unique_address


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("bob@bob.com", "bob@bob.com"),
        ("Bob.O'Neil+cheeps@BOB.com", "Bob.O'Neil+cheeps@bob.com"),
        ("\u0438\u0432\u0430\u043d@ex\u00e4mple.com", "\u0438\u0432\u0430\u043d@ex\u00e4mple.com"),
        ("bob@xn--exmple-cua.com", "bob@ex\u00e4mple.com"),
        ("bob@mail.example", "bob@mail.example"),
        ("bob@mail.test", "bob@mail.test"),
        ("a" * 64 + "@bob.com", "a" * 64 + "@bob.com"),
    ],
)
def test_an_address_follows_the_rfc(text, kept):
    """Letters of all scripts and the signs of RFC 5321 are accepted; the domain is kept in lower case, in Unicode."""
    assert normal_address(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        *("", "@", "bob", "bob@", "@bob.com", "a@b.com@c.com", "a b@c.com", "a@b.com\n", "a\x00@b.com"),
        *("a,b;c<d>@x", "-oQ/tmp@x", ".a..b.@-", "a..b@c.com", ".a@c.com", "a.@c.com", "a<b>@c.com", "Bob <b@c.com>"),
        *(
            "a@b",
            "a@localhost",
            "a@-b.com",
            "a@b-.com",
            "a@b..com",
            "a@.com",
            "a@b_c.com",
            "a@[127.0.0.1]",
            "a@1.2.3.4",
        ),
        *(
            '"a b"@c.com',
            "a\u202eb@c.com",
            "a\u200bb@c.com",
            "a@b\u202e.com",
            "a" * 65 + "@bob.com",
            "a@" + "b" * 64 + ".c",
        ),
        "a@" + "b." * 126 + "com",
    ],
)
def test_other_addresses_are_refused(text):
    """Loose dots, brackets, spaces, what is invisible, dotless domains and great lengths are refused."""
    with pytest.raises(ValueError, match=r"^must be an e-mail address"):
        normal_address(text)


@settings(deadline=None)
@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_an_address_or_none(local, domain):
    """Whatever is sent is accepted or refused, and what is accepted is its own normal form."""
    for text in (local, f"{local}@{domain}", f"{local}@{domain}.com", f"a{local}@{domain}b.com"):
        try:
            kept = normal_address(text)
        except ValueError:
            continue
        assert normal_address(kept) == kept
        assert unique_address(kept) == unique_address(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bob@Bob.COM", "bob@bob.com"),
        ("bob@ex\u00e4mple.com", "bob@XN--exmple-cua.com"),
        ("bob@EX\u00c4MPLE.com", "bob@ex\u00e4mple.com"),
        ("bob@exa\u0308mple.com", "bob@ex\u00e4mple.com"),
        ("re\u0301NE@bob.com", "r\u00e9ne@bob.com"),
        ("\u039f\u0394\u039f\u03a3@bob.com", "\u03bf\u03b4\u03bf\u03c2@bob.com"),
        ("STRA\u1e9eE@bob.com", "stra\u00dfe@bob.com"),
    ],
)
def test_spellings_of_one_address(one, other):
    """Case does not count, nor whether an IDN is written in its script or in punycode."""
    assert unique_address(one) == unique_address(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("stra\u00dfe@bob.com", "strasse@bob.com"),
        ("\ufb01n@bob.com", "fin@bob.com"),
        ("a@stra\u00dfe.de", "a@strasse.de"),
    ],
)
def test_addresses_of_two_people(one, other):
    """Letters that are folded to two others in a text's comparison stay what they are in an address."""
    assert unique_address(one) != unique_address(other)


@given(st.text(max_size=30))
def test_every_stored_address_has_a_unique_form(stored):
    """A form is found of any text, since earlier versions accepted other addresses; it is its own form."""
    form = unique_address(stored)
    assert unique_address(form) == form


@pytest.mark.parametrize(
    "url",
    [
        *("http://a", "https://bob.example/x?y=z#w", "HTTPS://BOB.example", "http://[::1]:8000/", "http://127.0.0.1/"),
        *("https://ex\u00e4mple.com/\u00fc", "https://xn--exmple-cua.com", "http://a.b.:80/", "https://a/@b?c@d#e@f"),
        *("https://a_b.example.com", "https://r3---sn-abc.example.com", "https://xn--ls8h.la"),
    ],
)
def test_a_website_is_an_http_url(url):
    """The host is a name of any script or an IP address."""
    assert is_website(url)


@pytest.mark.parametrize(
    "url",
    [
        *("", "bob", "ftp://bob.com", "//bob.com", "http://", "https:///x", "javascript:alert(1)"),
        *("http://a b", "http://a\n", "http://a/\t", "http://[::1", "http://bob.com:port", "http://bob.com:65536"),
        *("https://bank.example@evil.example", "https://a:b@c.com", "http://@a", "http://:@a"),
        *("https://evil.example\\@bank.example", "https:\\\\a", "https://a/\\b"),
        *("http://-a.com", "http://a..b", "http://.a", "http://" + "a" * 64 + ".com", "http://a%2eb"),
        *("http://1", "http://0x7f.1", "http://127.0.0.256", "http://1.2.3.4.5", "http://[::1%25eth0]", "http://[1]"),
        *("http://a/\u202e", "http://a/\u200b", "http://b\u00adob.com", "http://a/\u3000", "http://a<b>.com"),
    ],
)
def test_other_websites_are_refused(url):
    """A user's name, a host that is none, a backslash, and what cannot be seen are refused."""
    assert not is_website(url)


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_a_website_or_none(text):
    """Whatever is sent is accepted or refused."""
    for url in (text, f"http://{text}", f"http://[{text}]", f"https://a{text}.com/"):
        assert is_website(url) in {True, False}
