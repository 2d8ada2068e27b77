"""The credentials of each role on a MongoDB with users."""

from functools import partial

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from cheeper_contracts import views
from cheeper_contracts.views.generations import REGISTRY, database_of
from cheeper_local.testing.guarded import GuardedMongo
from projector.access import EXPORTER, PASSWORDS, WRITES
from projector.stores.mongo.access import GENERATIONS, ensure_users
from projector.stores.mongo.generations import MongoGenerations
from projector.stores.mongo.store import MongoStore

pytestmark = pytest.mark.extended

REFUSALS = {13, 18}  # Unauthorized, AuthenticationFailed
FIRST, LAST, BEYOND = (database_of("cheeper", number) for number in (1, GENERATIONS + 1, GENERATIONS + 2))
CHEEPS = views.CHEEPS.name
NOBODY = "nobody"
READS = {"read", "read another generation", "read the registry"}
MAY = {
    "projector": {
        *READS,
        *("insert", "update", "delete", "write another generation", "write the registry", "write by an aggregation"),
        *("make an index", "make a collection", "drop a collection"),
    },
    "read-api": READS,
    "audit": READS,
    EXPORTER: {"see figures"},
    NOBODY: set(),
}
"""Everything that each credential is good for, of what `attempts` tries."""


def attempts(client):
    """Return what a thief would try, by its name."""
    cheeps, database, admin = client[FIRST][CHEEPS], client[FIRST], client.admin
    return {
        "read": cheeps.find_one,
        "read another generation": client[LAST][CHEEPS].find_one,
        "read the registry": database[REGISTRY].find_one,
        "read another database": client["other"][CHEEPS].find_one,
        "read users": admin["system.users"].find_one,
        "see figures": partial(admin.command, "getDiagnosticData"),
        "read all operations": partial(admin.command, "currentOp", {"$all": True}),
        "read the log": client.local["oplog.rs"].find_one,
        "insert": lambda: cheeps.insert_one({}),
        "update": partial(cheeps.update_one, {}, {"$set": {"text": "forged"}}),
        "delete": partial(cheeps.delete_one, {}),
        "write another generation": lambda: client[LAST][CHEEPS].insert_one({}),
        "write a generation too many": lambda: client[BEYOND][CHEEPS].insert_one({}),
        "write the registry": lambda: database[REGISTRY].insert_one({}),
        "write another database": lambda: client["other"][CHEEPS].insert_one({}),
        "write by an aggregation": lambda: list(cheeps.aggregate([{"$out": "forged"}])),
        "write elsewhere by an aggregation": lambda: list(cheeps.aggregate([{"$out": {"db": "other", "coll": "x"}}])),
        "make an index": partial(cheeps.create_index, "forged"),
        "make a collection": partial(database.command, "create", "another"),
        "drop a collection": partial(database.command, "drop", "another"),
        "drop the database": partial(database.command, "dropDatabase"),
        "profile": partial(database.command, "profile", 2),
        "add a user": partial(admin.command, "createUser", "thief", pwd="mine", roles=["root"]),
        "set a password": partial(admin.command, "updateUser", "cheeper.projector", pwd="mine"),
        "set a parameter": partial(admin.command, "setParameter", 1, logLevel=1),
        "end operations": partial(admin.command, "killAllSessions", []),
        "change the replica set": partial(admin.command, "replSetStepDown", 1),
    }


def can(attempt):
    """Return whether the server does it. Any error but a refusal is passed on."""
    try:
        attempt()
    except OperationFailure as error:
        if error.code not in REFUSALS:
            raise
        return False
    return True


@pytest.fixture(scope="module")
def passwords(tmp_path_factory):
    folder = tmp_path_factory.mktemp("passwords")
    for name in PASSWORDS:
        (folder / name).write_text(f"the-password-of-{name}\n")
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    mongo = GuardedMongo(tmp_path_factory.mktemp("mongo"))
    try:
        mongo.start()
        yield mongo
    finally:
        mongo.stop()


@pytest.fixture
def admin(server, passwords):
    """A client that may do everything, once there are users."""
    with MongoClient(server.url) as client:
        ensure_users(client, "cheeper", passwords)
        yield client


def connected(server, role, password=None):
    if role == NOBODY:
        return MongoClient(f"mongodb://{server.address}/?directConnection=true")
    return MongoClient(server.url_as(f"cheeper.{role}", password or f"the-password-of-{role}"))


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize("role", MAY)
def test_a_stolen_credential_is_refused_everything_but_its_own(server, role):
    """read-api and the audit write nowhere, and nobody writes what another installation has."""
    with connected(server, role) as client:
        tried = attempts(client)
        assert MAY[role] <= tried.keys()
        assert {name for name, attempt in tried.items() if can(attempt)} == MAY[role]


def test_each_role_has_its_place_in_the_table():
    """A role that is new to the table is new to these tests, too."""
    assert MAY.keys() - {NOBODY, EXPORTER} == WRITES.keys()


def test_the_projector_makes_and_deletes_a_generation(server, admin):
    """Its user needs no privilege to drop a database: one without collections is none."""
    with connected(server, "projector") as client:
        generations = MongoGenerations(client, "cheeper")
        number = generations.create(1).number
        MongoStore(client, "cheeper", number).prepare()
        assert database_of("cheeper", number) in admin.list_database_names()
        generations.forget(number)
        for _ in generations.clear(number):
            pass
        generations.remove(number)
    assert database_of("cheeper", number) not in admin.list_database_names()


def test_users_follow_the_table_and_the_folder(server, admin, passwords, tmp_path):
    """A user loses what it has besides, and the old password is refused."""
    admin.admin.command("grantRolesToUser", "cheeper.read-api", roles=["readWriteAnyDatabase"])
    for name in PASSWORDS:
        (tmp_path / name).write_text((passwords / name).read_text())
    (tmp_path / "read-api").write_text("a-new-password")
    with connected(server, "read-api") as client:
        assert can(lambda: client["other"][CHEEPS].insert_one({}))
    ensure_users(admin, "cheeper", tmp_path)
    with connected(server, "read-api", "a-new-password") as client:
        assert can(client[FIRST][CHEEPS].find_one)
        assert not can(lambda: client["other"][CHEEPS].insert_one({}))
    with connected(server, "read-api") as client:
        assert not can(client[FIRST][CHEEPS].find_one)
