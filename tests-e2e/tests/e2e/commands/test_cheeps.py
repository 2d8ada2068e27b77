"""Cheeps: posting, editing, deleting and answering them, and what shows them one by one and by author."""

import re

import pytest

from cheeper_e2e.authors import expect_error, expect_rejected, follow, new_id, post, projected, sign_up

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")
TEXTS = [
    "plain",
    "Grüße aus Åland, naïve café",
    "ما هذا؟ שלום 你好 こんにちは",
    "\N{FAMILY}\N{ZERO WIDTH JOINER}\N{GRINNING FACE} \U0001f1e9\U0001f1ea",
    "quotes \" and \\ and </script> and '; DROP TABLE cheeps; --",
    "two\nlines",
    "\u2067right to left\u2069, and left\u200e",
    "%s %d {0} {{}} $HOME \\u0041 &amp;",
    "\N{GRINNING FACE}" * 260,
]
WRONG_MESSAGES = [
    None,
    "",
    "  \n ",
    "a" * 261,
    "\N{GRINNING FACE}" * 261,
    "tab\there",
    "nul\x00here",
    "next\x85line",
    "\u200b \u2066",
    "a" + "\u0300" * 31,
    7,
]


def ids(cheeps):
    return [cheep["cheep_id"] for cheep in cheeps]


async def answer(client, parent, author, message="An answer"):
    """An answer that shows, by its id."""
    reply = await projected(client, await client.answer_cheep(parent, author.author_id, message))
    return reply.data["cheep_id"]


async def changed(client, reply):
    """Return True if a projected command changed anything."""
    return (await client.command_status(reply.message_id)).data["changed"]


# --- POST /cheep -----------------------------------------------------------------------------------------------------


async def test_a_cheep_is_accepted(client):
    """The response is 202 with the cheep's id as the client chose it; then the cheep is there, with all its fields."""
    bob, cheep_id = await sign_up(client), new_id()
    reply = await client.post_cheep(bob.author_id, "Hello", cheep_id=cheep_id)
    assert (reply.status, reply.data) == (202, {"cheep_id": cheep_id})
    await projected(client, reply)
    data = (await client.cheep(cheep_id)).data
    date, exact = data.pop("cheep_date"), data.pop("posted_at")
    assert DATE.fullmatch(date)
    assert re.fullmatch(re.escape(date).replace(r"\+", r"\.\d{6}\+"), exact)
    assert data == {
        "cheep_id": cheep_id,
        "cheep_message": "Hello",
        "author_id": bob.author_id,
        "author_username": bob.username,
        "in_reply_to": None,
        "edited_at": None,
        "answers": [],
        "number_of_answers": 0,
    }


async def test_a_second_post_of_the_same_cheep_changes_nothing(client):
    """The same id with the same content exists once; it neither reverts an edit nor restores a deleted cheep."""
    bob = await sign_up(client)
    cheep_id = await post(client, bob, "First")

    async def again():
        reply = await projected(client, await client.post_cheep(bob.author_id, "First", cheep_id=cheep_id))
        assert not await changed(client, reply)

    await again()
    assert (await client.author(bob.author_id)).data["cheeps"] == 1
    await projected(client, await client.update_cheep(cheep_id, bob.author_id, "Second"))
    await again()
    assert (await client.cheep(cheep_id)).data["cheep_message"] == "Second"
    await projected(client, await client.delete_cheep(cheep_id, bob.author_id))
    await again()
    expect_error(await client.cheep(cheep_id), 404, "cheep_not_found")


async def test_a_cheep_id_with_other_content_is_rejected(client):
    """A post with the id of a cheep that says something else, by anybody, is rejected later; the first stays."""
    bob, charlie = await sign_up(client), await sign_up(client)
    cheep_id = await post(client, bob, "First")
    for author, text in ((bob, "Second"), (charlie, "First")):
        await expect_rejected(
            client, await client.post_cheep(author.author_id, text, cheep_id=cheep_id), "cheep_id_taken"
        )
    await expect_rejected(
        client, await client.answer_cheep(cheep_id, bob.author_id, "First", cheep_id=cheep_id), "cheep_id_taken"
    )
    data = (await client.cheep(cheep_id)).data
    assert (data["cheep_message"], data["author_id"], data["in_reply_to"]) == ("First", bob.author_id, None)


async def test_a_cheep_of_an_unknown_author_is_never_shown(client):
    """A post by an author who never signed up is rejected later and leaves nothing."""
    cheep_id = new_id()
    await expect_rejected(client, await client.post_cheep(new_id(), "Hello", cheep_id=cheep_id), "author_not_found")
    expect_error(await client.cheep(cheep_id), 404, "cheep_not_found")


@pytest.mark.parametrize(
    ("field", "value"),
    [("author_id", "bob"), ("cheep_id", "bob"), *(("message", message) for message in WRONG_MESSAGES)],
)
async def test_wrong_fields_of_a_cheep_are_named(client, field, value):
    """Each kind of wrong field is 422 `invalid` and named."""
    body = {"author_id": new_id(), "message": "Hello", field: value}
    expect_error(await client.command("POST", "/cheep", body), 422, "invalid", field)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text[:12]))
async def test_text_comes_back_as_it_went_in(client, text):
    """Any UTF-8 text, posted, edited or answered, is shown unchanged, on its own and in lists."""
    reader, author = await sign_up(client), await sign_up(client)
    await follow(client, reader, author)
    posted, edited = await post(client, author, text), await post(client, author, "Before")
    await projected(client, await client.update_cheep(edited, author.author_id, text))
    answered = await answer(client, posted, author, text)
    for cheep_id in (posted, edited, answered):
        assert (await client.cheep(cheep_id)).data["cheep_message"] == text
    for shown in (await client.timeline(reader.author_id), await client.author_cheeps(author.author_id)):
        assert [cheep["cheep_message"] for cheep in shown.data["cheeps"]] == [text] * 3


async def test_text_is_trimmed_and_composed(client):
    """Text is kept in NFC without white space around it."""
    author = await sign_up(client)
    cheep_id = await post(client, author, " \n cafe\N{COMBINING ACUTE ACCENT} \n")
    assert (await client.cheep(cheep_id)).data["cheep_message"] == "caf\N{LATIN SMALL LETTER E WITH ACUTE}"


# --- PATCH /cheep/{cheep_id} -----------------------------------------------------------------------------------------


async def test_an_edit_is_accepted_and_shows_everywhere(client):
    """The response is 202 with the id; then text and date of the edit show on the cheep's page and in every list."""
    reader, author = await sign_up(client), await sign_up(client)
    await follow(client, reader, author)
    parent = await post(client, author, "Parent")
    cheep_id = await answer(client, parent, author, "Before")
    before = (await client.cheep(cheep_id)).data
    reply = await client.update_cheep(cheep_id, author.author_id, "After")
    assert (reply.status, reply.data) == (202, {"cheep_id": cheep_id})
    await projected(client, reply)
    alone = (await client.cheep(cheep_id)).data
    assert DATE.fullmatch(alone["edited_at"])
    assert alone == {**before, "cheep_message": "After", "edited_at": alone["edited_at"]}
    del alone["answers"], alone["number_of_answers"]
    assert (await client.timeline(reader.author_id)).data["cheeps"][0] == alone
    assert (await client.author_cheeps(author.author_id)).data["cheeps"][0] == alone
    assert (await client.answers(parent)).data["cheeps"] == [alone]
    assert (await client.cheep(parent)).data["answers"] == [alone]


async def test_an_edit_to_the_same_text_changes_nothing(client):
    """Text that is the same after trimming is no edit."""
    author = await sign_up(client)
    cheep_id = await post(client, author, "Same")
    for text in ("Same", " Same\n"):
        reply = await projected(client, await client.update_cheep(cheep_id, author.author_id, text))
        assert not await changed(client, reply)
    assert (await client.cheep(cheep_id)).data["edited_at"] is None


@pytest.mark.parametrize("action", ["update", "delete"])
async def test_only_its_author_touches_a_cheep(client, action):
    """An edit or a deletion by another author, of a deleted cheep too, is rejected later: `not_the_author`."""
    author, other = await sign_up(client), await sign_up(client)
    cheep_id = await post(client, author, "Mine")

    async def touch(who):
        if action == "update":
            return await client.update_cheep(cheep_id, who.author_id, "Yours")
        return await client.delete_cheep(cheep_id, who.author_id)

    await expect_rejected(client, await touch(other), "not_the_author")
    assert (await client.cheep(cheep_id)).data["cheep_message"] == "Mine"
    await projected(client, await client.delete_cheep(cheep_id, author.author_id))
    await expect_rejected(client, await touch(other), "not_the_author")


async def test_an_unknown_cheep_is_neither_edited_nor_deleted_nor_answered(client):
    """An unknown cheep is rejected later: `cheep_not_found`; for a deleted one so are edits and answers."""
    author, unknown = await sign_up(client), new_id()
    await expect_rejected(client, await client.update_cheep(unknown, author.author_id, "Text"), "cheep_not_found")
    await expect_rejected(client, await client.delete_cheep(unknown, author.author_id), "cheep_not_found")
    await expect_rejected(client, await client.answer_cheep(unknown, author.author_id, "Text"), "cheep_not_found")
    deleted = await post(client, author, "Gone")
    await projected(client, await client.delete_cheep(deleted, author.author_id))
    await expect_rejected(client, await client.update_cheep(deleted, author.author_id, "Text"), "cheep_not_found")
    await expect_rejected(client, await client.answer_cheep(deleted, author.author_id, "Text"), "cheep_not_found")


@pytest.mark.parametrize(
    ("field", "value"),
    [("author_id", "bob"), ("author_id", None), ("cheep_id", "x"), *(("message", text) for text in WRONG_MESSAGES)],
)
async def test_wrong_fields_of_an_edit_are_named(client, field, value):
    """Each kind of wrong field is 422 `invalid` and named."""
    body = {"author_id": new_id(), "message": "Hello", field: value}
    expect_error(await client.command("PATCH", f"/cheep/{new_id()}", body), 422, "invalid", field)


# --- DELETE /cheep/{cheep_id} ----------------------------------------------------------------------------------------


async def test_a_deletion_is_accepted_and_shows_everywhere(client):
    """The response is 202 with the id; then the cheep is 404, in no list and not counted, and its answers stay."""
    reader, author = await sign_up(client), await sign_up(client)
    await follow(client, reader, author)
    older, cheep_id, newer = [await post(client, author, f"Cheep {number}") for number in range(3)]
    reaction = await answer(client, cheep_id, reader)
    reply = await client.delete_cheep(cheep_id, author.author_id)
    assert (reply.status, reply.data) == (202, {"cheep_id": cheep_id})
    await projected(client, reply)
    expect_error(await client.cheep(cheep_id), 404, "cheep_not_found")
    assert ids((await client.timeline(reader.author_id)).data["cheeps"]) == [newer, older]
    assert ids((await client.author_cheeps(author.author_id)).data["cheeps"]) == [newer, older]
    assert (await client.author(author.author_id)).data["cheeps"] == 2
    assert ids((await client.answers(cheep_id)).data["cheeps"]) == [reaction]
    assert (await client.cheep(reaction)).data["in_reply_to"] == cheep_id


async def test_a_second_deletion_changes_nothing(client):
    """A deleted cheep may be deleted again by its author."""
    author = await sign_up(client)
    cheep_id = await post(client, author, "Gone")
    for expected in (True, False, False):
        reply = await projected(client, await client.delete_cheep(cheep_id, author.author_id))
        assert await changed(client, reply) is expected
    assert (await client.author(author.author_id)).data["cheeps"] == 0


@pytest.mark.parametrize("params", [{}, {"author_id": "bob"}, {"author_id": ""}])
async def test_a_deletion_says_who_asks(client, params):
    """Without an author's id it is 422 and names it."""
    reply = await client.command("DELETE", f"/cheep/{new_id()}", params=params)
    expect_error(reply, 422, "invalid", "author_id")


# --- POST /cheep/{cheep_id}/answer -----------------------------------------------------------------------------------


async def test_an_answer_is_a_cheep_of_its_author(client):
    """The response is 202 with both ids; the answer is on timelines and among its author's cheeps, and is counted."""
    reader, author, other = await sign_up(client), await sign_up(client), await sign_up(client)
    await follow(client, reader, author)
    parent, cheep_id = await post(client, other, "Parent"), new_id()
    reply = await client.answer_cheep(parent, author.author_id, "Answer", cheep_id=cheep_id)
    assert (reply.status, reply.data) == (202, {"cheep_id": cheep_id, "in_reply_to": parent})
    await projected(client, reply)
    alone = (await client.cheep(cheep_id)).data
    assert (alone["in_reply_to"], alone["cheep_message"], alone["author_id"]) == (parent, "Answer", author.author_id)
    for shown in (await client.timeline(reader.author_id), await client.author_cheeps(author.author_id)):
        assert ids(shown.data["cheeps"]) == [cheep_id]
    assert (await client.author(author.author_id)).data["cheeps"] == 1
    assert (await client.author(other.author_id)).data["cheeps"] == 1


async def test_a_cheep_shows_its_first_ten_answers(client):
    """The first ten answers are shown with it, oldest first, and the number of all that are not deleted."""
    author = await sign_up(client)
    parent = await post(client, author, "Parent")
    answers = [await answer(client, parent, author, f"Answer {number}") for number in range(12)]
    data = (await client.cheep(parent)).data
    assert (ids(data["answers"]), data["number_of_answers"]) == (answers[:10], 12)
    await projected(client, await client.delete_cheep(answers[3], author.author_id))
    answers.pop(3)
    data = (await client.cheep(parent)).data
    assert (ids(data["answers"]), data["number_of_answers"]) == (answers[:10], 11)
    assert ids((await client.answers(parent, size=100)).data["cheeps"]) == answers


async def test_a_second_answer_of_the_same_id_and_content_changes_nothing(client):
    """It is known again though the parent was deleted since; as a plain post or to another parent its id is taken."""
    author = await sign_up(client)
    parent, other, cheep_id = await post(client, author, "Parent"), await post(client, author, "Other"), new_id()
    for expected in (True, False):
        reply = await projected(
            client, await client.answer_cheep(parent, author.author_id, "Answer", cheep_id=cheep_id)
        )
        assert await changed(client, reply) is expected
    await projected(client, await client.delete_cheep(parent, author.author_id))
    reply = await projected(client, await client.answer_cheep(parent, author.author_id, "Answer", cheep_id=cheep_id))
    assert not await changed(client, reply)
    for wrong in (
        await client.post_cheep(author.author_id, "Answer", cheep_id=cheep_id),
        await client.answer_cheep(other, author.author_id, "Answer", cheep_id=cheep_id),
    ):
        await expect_rejected(client, wrong, "cheep_id_taken")


async def test_an_answer_by_an_unknown_author_is_rejected(client):
    """An answer by an author who never signed up is rejected later."""
    parent = await post(client, await sign_up(client), "Parent")
    await expect_rejected(client, await client.answer_cheep(parent, new_id(), "Answer"), "author_not_found")
    assert (await client.cheep(parent)).data["number_of_answers"] == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("author_id", "bob"),
        ("cheep_id", "bob"),
        ("in_reply_to", "x"),
        *(("message", message) for message in WRONG_MESSAGES),
    ],
)
async def test_wrong_fields_of_an_answer_are_named(client, field, value):
    """Each kind of wrong field is 422 `invalid` and named."""
    body = {"author_id": new_id(), "message": "Hello", field: value}
    expect_error(await client.command("POST", f"/cheep/{new_id()}/answer", body), 422, "invalid", field)


# --- what is not there -----------------------------------------------------------------------------------------------


async def test_unknown_cheeps_and_authors(client):
    """An unknown cheep and its answers are 404, and so are an unknown author's cheeps."""
    expect_error(await client.cheep(new_id()), 404, "cheep_not_found")
    expect_error(await client.answers(new_id()), 404, "cheep_not_found")
    expect_error(await client.author_cheeps(new_id()), 404, "author_not_found")
