"""The main path of each view, as a person takes it."""

import re
import uuid

from playwright.sync_api import expect

from cheeper_e2e.browser.loaded import wait_until_visible


def post(page, text):
    """Write a cheep into the composer, and send it."""
    page.get_by_label("Your cheep").fill(text)
    page.get_by_role("button", name="Cheep", exact=True).click()


def card(page, text):
    """The card of the cheep with that text."""
    return page.locator("cheep-card", has_text=text)


def test_a_person_signs_up_posts_edits_and_deletes(open_page, api):
    """A new author posts a cheep, edits it and deletes it; the read side has each of these."""
    page, name = open_page(), f"n{uuid.uuid4().hex[:12]}"
    form = page.get_by_role("form", name="Create an author")
    form.get_by_label("Username").fill(name)
    form.get_by_label("E-mail address").fill(f"{name}@example.org")
    form.get_by_role("button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")

    post(page, "My first cheep")
    wait_until_visible(card(page, "My first cheep"))
    cheeps = f"/author/{api.get(f'/author?username={name}')['author_id']}/cheeps"
    api.wait_until(cheeps, lambda data: [each["cheep_message"] for each in data["cheeps"]] == ["My first cheep"])
    (cheep,) = api.get(cheeps)["cheeps"]

    card(page, "My first cheep").get_by_role("button", name="Edit").click()
    page.get_by_label("Edit your cheep").fill("My best cheep")
    page.get_by_role("button", name="Save").click()
    wait_until_visible(card(page, "My best cheep"))
    expect(card(page, "My best cheep")).to_contain_text("edited")
    api.wait_until(f"/cheep/{cheep['cheep_id']}", lambda data: data["cheep_message"] == "My best cheep")

    card(page, "My best cheep").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("cheep-card")).to_have_count(0)
    expect(page.locator("command-journey")).to_contain_text(re.compile(r"Delete\s*visible after"))


def test_a_taken_username_is_named_at_its_field(open_page, other):
    """An error stands beside its field, and the field keeps its value."""
    page = open_page()
    form = page.get_by_role("form", name="Create an author")
    form.get_by_label("Username").fill(other.username)
    form.get_by_label("E-mail address").fill(f"{uuid.uuid4().hex}@example.org")
    form.get_by_role("button").click()
    expect(form.locator("#error-username")).not_to_be_empty()
    expect(form.get_by_label("Username")).to_have_value(other.username)
    expect(form.get_by_label("Username")).to_be_focused()


def test_a_person_goes_on_as_an_author_who_exists(open_page, author):
    """Without sign-in, a username is enough to act as its author, until the author is changed."""
    page = open_page()
    form = page.get_by_role("form", name="Continue as an author")
    form.get_by_label("Username").fill(f"@{author.username}")
    form.get_by_role("button").click()
    expect(page.locator("side-nav .me")).to_have_text(re.compile(author.username))
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("button", name="Change author").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome to Cheeper")


def test_an_answer_stands_in_its_thread_and_notifies(open_page, api, author, other):
    """An answer appears below its cheep, and its author finds it in the notifications, unread until they are opened."""
    cheep_id = api.post(other, "A question")
    page = open_page(author, f"#/cheep/{cheep_id}?answer")
    expect(page.get_by_label("Your answer")).to_be_focused()
    page.get_by_label("Your answer").fill("An answer")
    page.get_by_role("button", name="Answer", exact=True).last.click()
    wait_until_visible(page.locator(".entries cheep-card", has_text="An answer"))

    # A process manager sends it after the answer is visible.
    api.wait_until(f"/author/{other.author_id}/notifications", lambda data: len(data["notifications"]) == 2)
    theirs = open_page(other)
    bell = theirs.get_by_role("link", name=re.compile("Notifications"))
    expect(bell.locator(".unread")).to_have_text("2 unread")
    bell.click()
    row = theirs.locator("notification-row", has_text=f"@{author.username} answered your cheep.")
    expect(row).to_contain_text("An answer")
    expect(row.locator(".unseen")).to_have_count(1)
    expect(bell.locator(".unread")).to_have_count(0)


def test_a_follow_fills_the_timeline_and_an_unfollow_empties_it(open_page, api, author, other):
    """A followed author is in the lists and counts of both, and in the timeline."""
    api.post(other, "Heard from afar")
    page = open_page(author, f"#/@{other.username}")
    page.get_by_role("button", name=f"Follow @{other.username}", exact=True).click()
    expect(page.get_by_role("button", name=f"Unfollow @{other.username}", exact=True)).to_be_visible()
    expect(page.locator(".counts")).to_contain_text("1 follower")
    expect(page.locator(".pending")).to_have_count(0)
    page.locator(".counts").get_by_role("link", name="1 follower").click()
    expect(page.locator("author-row")).to_contain_text(author.username)
    page.get_by_role("link", name="Home", exact=True).click()
    expect(card(page, "Heard from afar")).to_be_visible()

    page.goto(page.url.split("#")[0] + f"#/@{author.username}/following")
    page.get_by_role("button", name=f"Unfollow @{other.username}", exact=True).click()
    expect(page.get_by_role("button", name=f"Follow @{other.username}", exact=True)).to_be_visible()
    page.get_by_role("link", name="Home", exact=True).click()
    expect(page.locator(".empty")).to_contain_text("Your timeline is quiet")


def test_a_mute_hides_an_author_from_the_timeline_alone(open_page, api, author, other):
    """A muted author is gone from the timeline and still followed, and the profile offers the end of the mute."""
    api.follow(author, other)
    api.post(other, "A loud cheep")
    page = open_page(author, f"#/@{other.username}")
    page.get_by_role("button", name=f"More about @{other.username}").click()
    page.get_by_role("button", name=f"Mute @{other.username}").click()
    expect(page.locator(".relation")).to_contain_text("You mute this author")
    expect(page.locator(".pending")).to_have_count(0)
    expect(page.get_by_role("button", name=f"Unfollow @{other.username}", exact=True)).to_be_visible()
    page.get_by_role("link", name="Home", exact=True).click()
    expect(page.locator(".empty")).to_contain_text("Your timeline is quiet")
    page.go_back()
    page.locator(".relation").get_by_role("button", name="Unmute").click()
    expect(page.locator(".relation")).to_have_count(0)
    page.get_by_role("link", name="Home", exact=True).click()
    expect(card(page, "A loud cheep")).to_be_visible()


def test_a_block_is_confirmed_and_ends_the_follows(open_page, api, author, other):
    """A block ends both follows once it is confirmed; the blocked one's follow is refused with a sentence."""
    api.follow(author, other)
    api.follow(other, author)
    page = open_page(author, f"#/@{other.username}")
    follow = page.get_by_role("button", name=re.compile(f"ollow @{other.username}"))
    expect(follow).to_be_visible()
    more = page.get_by_role("button", name=f"More about @{other.username}")
    for answer in ("Cancel", "Block"):
        more.click()
        page.get_by_role("button", name=f"Block @{other.username}").click()
        page.get_by_role("dialog").get_by_role("button", name=answer, exact=True).click()
        expect(page.locator(".relation")).to_have_count(1 if answer == "Block" else 0)
    expect(page.locator(".relation")).to_contain_text("You block this author")
    expect(page.locator(".pending")).to_have_count(0)
    expect(follow).to_have_count(0)
    api.wait_until(f"/author/{author.author_id}", lambda data: (data["followers"], data["following"]) == (0, 0))

    theirs = open_page(other, f"#/@{author.username}")
    theirs.get_by_role("button", name=f"Follow @{author.username}", exact=True).click()
    expect(theirs.locator("refused-list")).to_contain_text("You could not follow this author.")
    page.reload()
    page.locator(".relation").get_by_role("button", name="Unblock").click()
    expect(page.get_by_role("button", name=f"Follow @{other.username}", exact=True)).to_be_visible()


def test_search_marks_the_words_that_it_found(open_page, api, author, other):
    """Cheeps and authors are found by the beginnings of words, without accents, and these are marked."""
    word = f"z{uuid.uuid4().hex[:10]}"
    api.post(other, f"Crème brûlée, {word}dings")
    page = open_page(author, "#/search")
    page.get_by_role("searchbox").fill(f"creme {word}")
    page.keyboard.press("Enter")
    expect(page.locator("cheep-card mark")).to_have_text(["Crème", word])
    expect(page.locator(".total")).to_have_text("1 result")
    page.get_by_role("searchbox").fill(other.username[:12])
    page.keyboard.press("Enter")
    page.get_by_label("What to search for").get_by_role("link", name="Authors").click()
    expect(page.locator("author-row mark")).to_have_text(other.username[:12])


def test_settings_change_the_profile(open_page, api, author):
    """The settings change the profile that everybody sees; a wrong value is named at its field."""
    page = open_page(author, "#/settings")
    page.get_by_label("Name", exact=True).fill("Zoë")
    page.get_by_label("Website").fill("javascript:alert(1)")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#error-website")).not_to_be_empty()
    page.get_by_label("Website").fill("https://example.org/zoe")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.get_by_role("link", name="Profile").click()
    expect(page.locator(".display")).to_have_text("Zoë")
    expect(page.get_by_role("link", name="https://example.org/zoe")).to_have_attribute(
        "href", "https://example.org/zoe"
    )
    expect(page.locator(".facts.pending")).to_have_count(0)
    assert api.get(f"/author/{author.author_id}")["website"] == "https://example.org/zoe"


def test_a_long_list_loads_on_as_one_scrolls(open_page, api, author, other):
    """Further pages come by cursor as the end comes near, each entry once and in order."""
    api.follow(author, other)
    texts = [f"Cheep {number:02}" for number in range(45)]
    api.post_all(other, texts)
    page = open_page(author)
    cards = page.locator("cheep-card")
    expect(cards.first).to_contain_text("Cheep 44")
    while cards.count() < len(texts):
        before = cards.count()
        page.mouse.wheel(0, 20_000)
        expect(cards.nth(before)).to_be_attached()
    assert cards.locator(".text").all_inner_texts() == texts[::-1]


def test_all_of_it_works_by_keyboard(page):
    """A cheep is written, sent and opened without a mouse, and the focus moves to the new view's heading."""
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Your cheep")).to_be_focused()
    page.keyboard.type("By hand")
    page.keyboard.press("Control+Enter")
    wait_until_visible(card(page, "By hand"))
    card(page, "By hand").locator(".when").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Cheep")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.get_by_role("link", name="Skip to the content").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Cheep")  # it leads to no other view
    expect(page.get_by_role("heading", level=1)).to_be_focused()
