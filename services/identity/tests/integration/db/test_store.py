"""The use cases of two processes on one real database: what holds when both act at once."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text

from identity.db.schema.tables import metadata
from identity.db.store import PostgresStore, create_engine
from identity.domain.errors import TooManyAttemptsError, WrongCredentialsError
from identity.domain.refresh import GRACE_SECONDS, IDLE_SECONDS
from identity.domain.signing_keys import PUBLISHED_BEFORE
from identity.domain.store import StoreUnavailableError

pytestmark = [pytest.mark.store, pytest.mark.proves(guarantee="identity")]

EMAIL, PASSWORD = "ann@example.org", "a long enough one"


async def _content(engine):
    """All rows of all tables, as text."""
    found = []
    async with engine.connect() as connection:
        for table in metadata.sorted_tables:
            rows = await connection.execute(text(f"SELECT t::text FROM {table.fullname} AS t"))  # noqa: S608 - our names
            found += [row[0] for row in rows]
    return "\n".join(found)


async def test_replicas_sign_with_one_key(engines, new_service):
    """Two processes that start at once on an empty database make one key, and both publish it."""
    replicas = [new_service(PostgresStore(engine)) for engine in engines]
    await asyncio.gather(*(each.keyring.update() for each in replicas))
    assert replicas[0].keyring.key_set() == replicas[1].keyring.key_set()
    assert len(replicas[0].keyring.key_set()["keys"]) == 1


async def test_rotation_at_once_prepares_one_key(replicas):
    """Two rotations at once prepare one key, which both publish before either signs with it."""
    await asyncio.gather(*(each.keyring.update(rotate=True) for each in replicas))
    for each in replicas:
        await each.keyring.update()
        assert len(each.keyring.key_set()["keys"]) == 2
    before = replicas[0].keyring.sign({})
    replicas[0].now += PUBLISHED_BEFORE + 1
    assert replicas[0].keyring.sign({}).partition(".")[0] != before.partition(".")[0]


async def test_replicas_that_refresh_at_once_agree(replicas):
    """Ten refreshes with one token at two processes get one next token, and it is good."""
    _, tokens = await replicas[0].account()
    uses = [replicas[number % 2].sessions.refresh(tokens.refresh_token) for number in range(10)]
    found = {each.refresh_token for each in await asyncio.gather(*uses)}
    assert len(found) == 1
    assert await replicas[1].sessions.refresh(found.pop())


async def test_reuse_at_one_replica_revokes_at_the_other(replicas):
    """A session that one process has revoked is of no use at the other."""
    _, tokens = await replicas[0].account()
    newest = await replicas[0].sessions.refresh(tokens.refresh_token)
    replicas[1].now += GRACE_SECONDS + 1
    for each, token in ((replicas[1], tokens), (replicas[0], newest)):
        with pytest.raises(WrongCredentialsError):
            await each.sessions.refresh(token.refresh_token)


async def test_a_sign_in_during_a_change_of_password_leaves_no_session(replicas):
    """Whoever knows the old password alone has no session once the change has happened."""
    await replicas[0].account()
    change = replicas[0].accounts.change_password(EMAIL, PASSWORD, "another password", "192.0.2.1")
    sign_ins = [replicas[1].accounts.sign_in(EMAIL, PASSWORD, "192.0.2.2") for _ in range(4)]
    changed, *signed_in = await asyncio.gather(change, *sign_ins, return_exceptions=True)
    assert not isinstance(changed, BaseException)
    for tokens in signed_in:
        if not isinstance(tokens, WrongCredentialsError):
            with pytest.raises(WrongCredentialsError):
                await replicas[1].sessions.refresh(tokens.refresh_token)


async def test_one_code_makes_one_account(replicas):
    """Of many uses of a code at once, one counts."""
    await replicas[0].accounts.send_code(EMAIL, "192.0.2.1")
    code = replicas[0].mailer.code()
    uses = [replicas[number % 2].accounts.set_password(EMAIL, code, f"password {number}") for number in range(6)]
    found = await asyncio.gather(*uses, return_exceptions=True)
    assert sum(isinstance(each, WrongCredentialsError) for each in found) == 5


async def test_first_sign_ins_of_a_subject_at_once_make_one_account(replicas, engines):
    """Of many first sign-ins of a provider's subject, one makes the account, and all have it."""

    async def account_of(each, subject):
        async with each.store.begin() as transaction:
            return await transaction.account_of_subject("https://id.example.org", subject, str(uuid4()))

    found = await asyncio.gather(*(account_of(replicas[number % 2], "alice") for number in range(6)))
    assert len(set(found)) == 1
    assert await account_of(replicas[0], "bob") not in found
    async with engines[0].connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM identity.accounts"))).scalar_one() == 2


async def test_an_attempt_counts_once_across_replicas(replicas):
    """Of many uses of an attempt at once, one counts, and one that has ended counts never."""

    async def add(digest, until):
        async with replicas[0].store.begin() as transaction:
            await transaction.add_attempt(digest, "example", until)

    async def take(each, digest):
        async with each.store.begin() as transaction:
            return await transaction.take_attempt(digest, 1000)

    await add(b"good", 1000)
    await add(b"old", 999)
    found = await asyncio.gather(*(take(replicas[number % 2], b"good") for number in range(6)))
    assert sorted(found, key=str) == [None] * 5 + ["example"]
    assert await take(replicas[0], b"old") is None


async def test_limits_hold_across_replicas(replicas):
    """Of 20 guesses at once at two processes, five are compared."""
    await replicas[0].account()
    guesses = [replicas[number % 2].accounts.sign_in(EMAIL, "a wrong one", "192.0.2.1") for number in range(20)]
    found = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(isinstance(each, WrongCredentialsError) for each in found) == 5
    assert sum(isinstance(each, TooManyAttemptsError) for each in found) == 15


async def test_right_passwords_use_nothing_up(replicas):
    """Sign-ins one after another at two processes leave the buckets empty."""
    await replicas[0].account()
    for number in range(12):
        await replicas[number % 2].accounts.sign_in(EMAIL, PASSWORD, "192.0.2.1")


async def test_the_database_has_no_secret(replicas, engines):
    """No password, code or refresh token is in any row."""
    _, tokens = await replicas[0].account()
    await replicas[0].accounts.set_roles(EMAIL, ["operator"])
    begun = await replicas[0].external.begin("example", "192.0.2.1")
    content = await _content(engines[0])
    assert EMAIL in content
    assert "{operator}" in content
    secrets = (
        PASSWORD,
        replicas[0].mailer.code(),
        tokens.refresh_token.partition(".")[2],
        tokens.access_token,
        begun.secret,
        begun.state,
    )
    for secret in secrets:
        assert secret not in content
        assert secret.encode().hex() not in content


async def test_what_has_expired_is_deleted(replicas, engines):
    """Sessions, codes and buckets do not pile up; accounts and keys stay."""
    await replicas[0].account()
    await replicas[0].accounts.send_code(EMAIL, "192.0.2.1")
    await replicas[0].external.begin("example", "192.0.2.1")
    async with replicas[0].store.begin() as transaction:
        await transaction.expire(int(replicas[0].now) + IDLE_SECONDS + 1)
    async with engines[0].connect() as connection:
        counts = [
            (await connection.execute(text(f"SELECT count(*) FROM identity.{table}"))).scalar_one()  # noqa: S608 - ours
            for table in ("sessions", "codes", "attempts", "buckets", "accounts", "signing_keys")
        ]
    assert counts == [0, 0, 0, 0, 1, 1]


async def test_an_unavailable_database_is_reported_as_that(new_service):
    """A database that does not answer is no wrong password."""
    engine = create_engine("postgresql://nobody@127.0.0.1:1/none", application_name="test")
    with pytest.raises(StoreUnavailableError):
        await new_service(PostgresStore(engine)).accounts.sign_in(EMAIL, PASSWORD, "192.0.2.1")
    await engine.dispose()
