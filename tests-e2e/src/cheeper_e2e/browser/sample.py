"""A few authors with something to say, for the screenshots."""

from __future__ import annotations

from cheeper_e2e.browser.writer import Api, Writer

_FILLERS = (
    "Two swifts under the station roof this morning. Summer may begin.",
    "Does anybody know a good bakery near the harbour?",
    "Read the chapter about projections twice. The second time it was obvious, as it always is.",
    "If a view lags by forty milliseconds and nobody sees it, did it lag?",
    "Rain since five. The garden and I are of two minds about it.",
)
_LAST_LINE = "Three rooms, one door each. I like this house."


def write_sample(api: Api) -> tuple[Writer, str]:
    """Write the sample. Return the author whose page is shown, and the id of a cheep with answers."""
    ann = api.sign_up(
        "ann_lindgren",
        name="Ann Lindgren",
        bio="Ornithologist. Mostly swifts, sometimes software. Opinions are my cat's.",
        location="Göteborg",
        website="https://example.org/ann",
    )
    bob = api.sign_up("bob", name="Bob Okafor", bio="Builds bridges, some of them between queues.")
    noa = api.sign_up("noa_levi", name="נועה לוי", bio="צלמת ומטיילת")
    mai = api.sign_up("mai_t", name="Mai Tran", bio="Coffee, trains, typefaces.")
    for one, other in ((ann, bob), (ann, noa), (ann, mai), (bob, ann), (mai, ann), (noa, ann), (mai, bob)):
        api.follow(one, other)
    for number, text in enumerate(_FILLERS):
        api.post((bob, mai, ann, mai, bob)[number], text)
    api.post(noa, "בוקר טוב! השמש סוף סוף יצאה ☀️")
    question = api.post(ann, "What is the smallest thing that made your week better? 🐦")
    api.answer(bob, question, "A test that had been red for a month is green, and I know why.")
    api.answer(mai, question, "The 7:14 was on time. Five days in a row.")
    api.answer(noa, question, "שקט")
    api.post(mai, "New favourite word: “psithurism”, the sound of wind in the leaves 🍃")
    api.post(
        bob,
        "Wrote a command, watched it become an event, watched the event become a view.\n\n" + _LAST_LINE,
    )
    return ann, question
