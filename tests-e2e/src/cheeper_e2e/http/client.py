"""A small client of Cheeper's HTTP API, as any user could write one from its documentation: a method a row."""

from __future__ import annotations

from typing import Any, Final

import httpx

from cheeper_e2e.http.requester import Json, Reply, Requester, UnavailableError, as_curl, given

__all__ = ["LARGEST_PAGE", "Client", "Json", "Reply", "UnavailableError", "as_curl"]

LARGEST_PAGE: Final = 100


class Client(Requester):
    """Every command and query of the API. Parameters of queries, `after` and `timeout` too, are keywords."""

    # --- commands ------------------------------------------------------------------------------------------------

    async def sign_up(
        self, author_id: str, username: str, email: str, *, key: str | None = None, **profile: str | None
    ) -> Reply:
        """POST /author; the profile's fields that are None are left out."""
        body = {"author_id": author_id, "username": username, "email": email, **given(profile)}
        return await self.command("POST", "/author", body, key=key)

    async def update_profile(self, author_id: str, *, key: str | None = None, **profile: str | None) -> Reply:
        """PATCH /author/{author_id}; a field that is None is cleared."""
        return await self.command("PATCH", f"/author/{author_id}", profile, key=key)

    async def change_email(self, author_id: str, email: str, *, key: str | None = None) -> Reply:
        """PUT /author/{author_id}/email."""
        return await self.command("PUT", f"/author/{author_id}/email", {"email": email}, key=key)

    async def follow(
        self, follower: str, followed: str, *, follow_id: str | None = None, key: str | None = None
    ) -> Reply:
        """POST /follow."""
        body = given({"follow_id": follow_id, "from_author_id": follower, "to_author_id": followed})
        return await self.command("POST", "/follow", body, key=key)

    async def unfollow(self, follower: str, followed: str, *, key: str | None = None) -> Reply:
        """DELETE /author/{from}/following/{to}."""
        return await self.command("DELETE", f"/author/{follower}/following/{followed}", key=key)

    async def post_cheep(
        self, author_id: str, message: str, *, cheep_id: str | None = None, key: str | None = None
    ) -> Reply:
        """POST /cheep."""
        body = given({"cheep_id": cheep_id, "author_id": author_id, "message": message})
        return await self.command("POST", "/cheep", body, key=key)

    async def update_cheep(self, cheep_id: str, author_id: str, message: str, *, key: str | None = None) -> Reply:
        """PATCH /cheep/{cheep_id}."""
        return await self.command("PATCH", f"/cheep/{cheep_id}", {"author_id": author_id, "message": message}, key=key)

    async def delete_cheep(self, cheep_id: str, author_id: str, *, key: str | None = None) -> Reply:
        """DELETE /cheep/{cheep_id}?author_id=."""
        return await self.command("DELETE", f"/cheep/{cheep_id}", params={"author_id": author_id}, key=key)

    async def answer_cheep(
        self, parent: str, author_id: str, message: str, *, cheep_id: str | None = None, key: str | None = None
    ) -> Reply:
        """POST /cheep/{cheep_id}/answer; `cheep_id` is the answer's own."""
        body = given({"cheep_id": cheep_id, "author_id": author_id, "message": message})
        return await self.command("POST", f"/cheep/{parent}/answer", body, key=key)

    # --- queries -------------------------------------------------------------------------------------------------

    async def author(self, author_id: str, **params: Any) -> Reply:
        """GET /author/{author_id}."""
        return await self.query(f"/author/{author_id}", **params)

    async def author_named(self, username: str, **params: Any) -> Reply:
        """GET /author?username=."""
        return await self.query("/author", username=username, **params)

    async def followers_counter(self, author_id: str, **params: Any) -> Reply:
        """GET /author/{author_id}/followers-counter."""
        return await self.query(f"/author/{author_id}/followers-counter", **params)

    async def followers(self, author_id: str, **params: Any) -> Reply:
        """GET /author/{author_id}/followers, one page."""
        return await self.query(f"/author/{author_id}/followers", **params)

    async def following(self, author_id: str, **params: Any) -> Reply:
        """GET /author/{author_id}/following, one page."""
        return await self.query(f"/author/{author_id}/following", **params)

    async def timeline(self, author_id: str, **params: Any) -> Reply:
        """GET /author/{author_id}/timeline, one page."""
        return await self.query(f"/author/{author_id}/timeline", **params)

    async def author_cheeps(self, author_id: str, **params: Any) -> Reply:
        """GET /author/{author_id}/cheeps, one page."""
        return await self.query(f"/author/{author_id}/cheeps", **params)

    async def cheep(self, cheep_id: str, **params: Any) -> Reply:
        """GET /cheep/{cheep_id}."""
        return await self.query(f"/cheep/{cheep_id}", **params)

    async def answers(self, cheep_id: str, **params: Any) -> Reply:
        """GET /cheep/{cheep_id}/answers, one page."""
        return await self.query(f"/cheep/{cheep_id}/answers", **params)

    async def notifications(self, author_id: str, **params: Any) -> Reply:
        """GET /author/{author_id}/notifications, one page."""
        return await self.query(f"/author/{author_id}/notifications", **params)

    async def search(self, q: str, **params: Any) -> Reply:
        """GET /search, one page."""
        return await self.query("/search", q=q, **params)

    async def search_authors(self, q: str, **params: Any) -> Reply:
        """GET /search/authors, one page."""
        return await self.query("/search/authors", q=q, **params)

    async def command_status(self, message_id: str, **params: Any) -> Reply:
        """GET /command/{message_id}."""
        return await self.query(f"/command/{message_id}", **params)

    # --- whole lists ---------------------------------------------------------------------------------------------

    async def whole_list(self, path: str, *, size: int = LARGEST_PAGE, **params: Any) -> list[Json]:
        """Every entry of a list that is walked by cursor, such as `/author/{author_id}/followers`, with parameters.

        Raises ValueError where a page is none: its response is not 200, or short without being the last.
        """
        entries: list[Json] = []
        cursor: str | None = None
        while True:
            reply = await self.query(path, size=size, cursor=cursor, **params)
            [page] = _found(reply).values()
            entries += page
            cursor = reply.meta.get("next_cursor")
            if cursor is None:
                return entries
            if len(page) != size:
                raise ValueError(f"{reply.curl}: {len(page)} entries on a page that is not the last")

    async def whole_timeline(self, author_id: str, *, size: int = LARGEST_PAGE) -> list[Json]:
        """Every cheep of an author's timeline. Raises ValueError as `whole_list` does."""
        return await self.whole_list(f"/author/{author_id}/timeline", size=size)

    async def whole_search(self, path: str, q: str, *, page_size: int = LARGEST_PAGE, **params: Any) -> list[Json]:
        """Everything that a search finds, page by page, up to the first page beyond the last.

        Raises ValueError where a page's response is not 200, or its length or numbers are not those of a search.
        """
        items: list[Json] = []
        page = 0
        while True:
            page += 1
            reply = await self.query(path, q=q, page=page, page_size=page_size, **params)
            found = _found(reply)
            items += found["items"]
            pages = -(-found["total"] // page_size)
            stated = {"total": found["total"], "page": page, "page_size": page_size, "total_pages": pages}
            wanted = page_size if page < pages else found["total"] % page_size or page_size if page == pages else 0
            if stated != {name: found[name] for name in stated} or len(found["items"]) != wanted:
                raise ValueError(f"{reply.curl}: {len(found['items'])} items, not {wanted}; {stated}")
            if page > pages:
                return items


def _found(reply: Reply) -> Json:
    if reply.status != httpx.codes.OK:
        raise ValueError(f"{reply.curl} had the response {reply.status}: {reply.data}")
    return reply.data
