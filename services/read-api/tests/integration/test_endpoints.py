"""Every query over HTTP."""

import pytest
from read_api_layout import Hot, command_record, new_id
from read_api_process import lines

from cheeper_contracts import views
from cheeper_contracts.http.routes import ROUTES
from cheeper_local.testing import until


def test_the_book_s_counter(api, shared_hot: Hot, shared):
    """The counter is spelled as the book spells it, and its id is in the response, the header and the log."""
    author = new_id()
    shared_hot.author(author, username="bob", followers=2)
    response = api.get(f"/author/{author.upper()}/followers-counter")
    body = response.json()
    assert body["data"] == {"authorId": author, "authorUsername": "bob", "numberOfFollowers": 2}
    assert set(body["meta"]) == {"message_id"}
    assert response.headers["x-message-id"] == body["meta"]["message_id"]
    assert "server" not in response.headers
    until(lambda: any(line.get("message_id") == body["meta"]["message_id"] for line in lines(shared[1])))


def test_a_page_shows_records_as_they_are_stored(api, shared_hot: Hot):
    """A timeline's cheeps are the records, any text in them, with a cursor only where there is more."""
    reader, author = new_id(), new_id()
    entries = sorted((views.pack_entry(date, new_id()) for date in range(3)), reverse=True)
    for entry in entries:
        shared_hot.record(entry, author, 'a "quote", é, 👋\n')
    shared_hot.replace(shared_hot.key(views.TIMELINE, reader), entries)
    first = api.get(f"/author/{reader}/timeline", params={"size": 2}).json()
    assert [cheep["cheep_message"] for cheep in first["data"]["cheeps"]] == ['a "quote", é, 👋\n'] * 2
    assert set(first["data"]["cheeps"][0]) == {
        *("cheep_id", "cheep_date", "cheep_message", "author_id", "author_username", "in_reply_to", "edited_at"),
        "posted_at",
    }
    assert first["data"]["cheeps"][0]["posted_at"] == "1970-01-01T00:00:00.000002+00:00"
    last = api.get(f"/author/{reader}/timeline", params={"size": 2, "cursor": first["meta"]["next_cursor"]}).json()
    assert len(last["data"]["cheeps"]) == 1
    assert "next_cursor" not in last["meta"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "allow"),
    [
        ("GET", "/author/{id}/followers-counter", 404, "author_not_found", None),
        ("GET", "/author/{id}", 404, "author_not_found", None),
        ("GET", "/cheep/{id}", 404, "cheep_not_found", None),
        ("GET", "/cheep/{id}/", 404, "no_such_path", None),
        ("GET", "/author//timeline", 404, "no_such_path", None),
        ("GET", "/nope", 404, "no_such_path", None),
        ("GET", "/follow", 405, "method_not_allowed", "POST, OPTIONS"),
        ("POST", "/cheep/{id}", 405, "method_not_allowed", "GET, HEAD, PATCH, DELETE, OPTIONS"),
        ("GET", "/author?username=nobody", 404, "author_not_found", None),
        ("GET", "/author/{id}/followers", 404, "author_not_found", None),
        ("GET", "/author/{id}/following", 404, "author_not_found", None),
        ("GET", "/author/{id}/cheeps", 404, "author_not_found", None),
        ("GET", "/author/{id}/notifications", 404, "author_not_found", None),
        ("GET", "/cheep/{id}/answers", 404, "cheep_not_found", None),
        ("GET", "/command/{id}", 404, "command_not_found", None),
        ("GET", "/search/cheeps?q=a", 404, "no_such_path", None),
        ("PUT", "/search", 405, "method_not_allowed", "GET, HEAD, OPTIONS"),
        ("GET", "/cheep/me", 422, "invalid", None),
        ("GET", "/author/{id}/timeline?size=x", 422, "invalid", None),
    ],
)
def test_problems_have_their_form(api, method, path, status, code, allow):
    """Status, code, one sentence, the message id, and Allow where it belongs; HEAD is as GET without a body."""
    path = path.format(id=new_id())
    response = api.request(method, path)
    body = response.json()
    assert (response.status_code, body["data"]["code"], response.headers.get("allow")) == (status, code, allow)
    assert body["data"]["message"]
    assert body["meta"]["message_id"] == response.headers["x-message-id"]
    if method == "GET":
        head = api.head(path)
        assert (head.status_code, head.content) == (status, b"")
        assert head.headers["content-length"] == response.headers["content-length"]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/author", {"username"}),
        ("/author?username=&after=x", {"username", "after"}),
        ("/author/{id}/followers?offset=1", {"offset"}),
        ("/author/{id}/following?size=0", {"size"}),
        ("/author/{id}/cheeps?cursor=x", {"cursor"}),
        ("/author/{id}/notifications?size=1&size=2", {"size"}),
        ("/cheep/{id}?size=1", {"size"}),
        ("/cheep/me/answers?timeout=11", {"cheep_id", "timeout"}),
        ("/search", {"q"}),
        ("/search?q=%21&page=0&page_size=101&sort_by=q&sort_order=up&author_id=me", None),
        ("/search/authors?q=a&author_id={id}", {"q", "author_id"}),
        ("/command/me?size=1", {"message_id", "size"}),
    ],
)
def test_wrong_fields_are_named(api, path, fields):
    """A parameter that is wrong, missing or unknown to this query is reported by its name, all of them at once."""
    response = api.get(path.format(id=new_id()))
    named = {each["field"] for each in response.json()["data"]["fields"]}
    assert response.status_code == 422
    assert named == (fields or {"q", "page", "page_size", "sort_by", "sort_order", "author_id"})


def test_every_response_is_as_api_md_has_it(api, shared_documents):
    """Of every query the keys of the response, spelled as in api.md, with null where something may be none."""
    author, other = (
        shared_documents.sign_up(username=f"u{new_id()[:8]}"),
        shared_documents.sign_up(username=f"u{new_id()[:8]}"),
    )
    shared_documents.follow(other, author)
    cheep = shared_documents.post(author, (word := f"w{new_id()[:8]}"))
    shared_documents.post(other, parent=cheep)
    shared_documents.notify(author)
    shared_documents.command(command_record(message := new_id(), key=author, sequence=1))
    profile = {"author_id", "username", "name", "bio", "location", "website", "birth_date", "signed_up_at"}
    profile |= {"followers", "following", "cheeps"}
    shown = {"cheep_id", "cheep_date", "cheep_message", "author_id", "author_username", "in_reply_to", "edited_at"}
    shown |= {"posted_at"}
    listed = {"author_id", "username", "name", "followed_at"}
    notified = {"notification_id", "kind", "at", "read"}
    results = {"items", "total", "page", "page_size", "total_pages"}
    username = api.get(f"/author/{author}").json()["data"]["username"]
    for path, whole, entries, entry in (
        (f"/author/{author}", profile, None, None),
        (f"/author?username={username.upper()}", profile, None, None),
        (f"/author/{author}/followers", {"authors"}, "authors", listed),
        (f"/author/{other}/following", {"authors"}, "authors", listed),
        (f"/author/{author}/cheeps", {"cheeps"}, "cheeps", shown),
        (f"/author/{author}/notifications", {"notifications"}, "notifications", notified),
        (f"/cheep/{cheep}", shown | {"answers", "number_of_answers"}, "answers", shown),
        (f"/cheep/{cheep}/answers", {"cheeps"}, "cheeps", shown),
        (f"/search?q={word}", results, "items", shown),
        (f"/search/authors?q={username}", results, "items", profile),
        (f"/command/{message}", {"status", "type", "changed", "at"}, None, None),
    ):
        response = api.get(path)
        data = response.json()["data"]
        assert (response.status_code, set(data)) == (200, whole), path
        if entries:
            assert [set(each) for each in data[entries]] == [entry], path
        assert api.head(path).headers["content-length"] == response.headers["content-length"]


def test_openapi_names_every_query(api):
    """OpenAPI has each route with its parameters, and says which of them must be given."""
    paths = api.get("/schema").json()["paths"]
    assert {route.path for route in ROUTES if route.queries} <= set(paths)
    required = {
        (path, parameter["name"])
        for path, methods in paths.items()
        for parameter in methods["get"].get("parameters", [])
        if parameter["required"] and parameter["in"] == "query"
    }
    assert required == {("/author", "username"), ("/search", "q"), ("/search/authors", "q")}
