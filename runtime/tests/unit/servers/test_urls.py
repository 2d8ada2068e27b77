import pytest

from cheeper_runtime.servers.urls import mongo_url, postgres_url, redis_url, url

GOOD = (
    (redis_url, "redis://:secret@h:1/0"),
    (redis_url, "rediss://h"),
    (redis_url, "rediss://user:secret@h/0?ssl_ca_certs={ca}"),
    (redis_url, "unix:///run/redis.sock"),
    (url("http", "https").parse, "https://h/path"),
    (mongo_url, "mongodb://h:1,i:2/?replicaSet=rs"),
    (mongo_url, "mongodb://u:secret@h/?tls=true&tlsCAFile={ca}"),
    (mongo_url, "mongodb://u:secret@h/?ssl=true&TLSCAFILE={ca}"),
    (mongo_url, "mongodb+srv://h/?tlsCAFile={ca}"),
    (postgres_url, "postgres://u:secret@h,i/d"),
    (postgres_url, "postgresql://u:secret@h/d?sslmode=verify-full&sslrootcert={ca}"),
    (postgres_url, "postgresql://u:secret@h/d?sslmode=verify-ca&sslrootcert={ca}"),
    (postgres_url, "postgresql://u:secret@h/d?sslmode=verify-full&sslrootcert=system"),
)
NO_PEM = "which must be a file with certificates in PEM that this process can read"
BAD = (
    (redis_url, "http://u:secret@h", "must be a URL that begins with redis:// or rediss:// or unix://"),
    (redis_url, "redis://[secret", "must be a URL that begins with redis:// or rediss:// or unix://"),
    (redis_url, "redis://:secret@h?ssl_ca_certs={ca}", "has ssl_ca_certs, which has no effect without rediss://"),
    (redis_url, "rediss://:secret@h?ssl_ca_certs={ca}x", f"has ssl_ca_certs, {NO_PEM}"),
    (redis_url, "rediss://:secret@h?ssl_ca_certs=", f"has ssl_ca_certs, {NO_PEM}"),
    (mongo_url, "mongo://u:secret@h", "must be a URL that begins with mongodb:// or mongodb+srv://"),
    (mongo_url, "mongodb://u:secret@h/?tls=yes", "must have no other tls than tls=true or tls=false"),
    (mongo_url, "mongodb://u:secret@h/?tlsCAFile={ca}", "has tlsCAFile, which has no effect without tls=true"),
    (mongo_url, "mongodb://u:secret@h/?tls=true&tlscafile={ca}x", f"has tlsCAFile, {NO_PEM}"),
    (postgres_url, "mysql://u:secret@h/d", "must be a URL that begins with postgresql:// or postgres://"),
    (
        postgres_url,
        "postgresql://u:secret@h/d?sslmode=full",
        "must have an sslmode that is one of disable, allow, prefer, require, verify-ca, verify-full",
    ),
    (
        postgres_url,
        "postgresql://u:secret@h/d?sslmode=require&sslrootcert={ca}",
        "has sslrootcert, which has no effect without sslmode=verify-full",
    ),
    (postgres_url, "postgresql://u:secret@h/d?sslmode=verify-full&sslrootcert={ca}x", f"has sslrootcert, {NO_PEM}"),
)


@pytest.mark.parametrize(("parse", "url"), GOOD)
def test_a_url_is_passed_on_unchanged(parse, url, authorities):
    """The driver reads it, with every parameter."""
    url = url.format(ca=authorities)
    assert parse(url) == url


@pytest.mark.parametrize(("parse", "url", "reason"), BAD)
def test_a_url_that_does_not_protect_as_it_seems_to_is_refused(parse, url, reason, authorities):
    """The sentence names the parameter, and has nothing of the password."""
    with pytest.raises(ValueError, match=r"^(must|has) ") as caught:
        parse(url.format(ca=authorities))
    assert str(caught.value) == reason
