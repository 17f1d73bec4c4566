"""Everything under /persona: look, choose, make, change, delete, take along and bring back."""

from __future__ import annotations

from tests.tour import album
from tests.tour.guide import Guide

LONG_NAMES = (  # so long that the list of characters needs a second page
    "Professor Augusta von Ravenstein-Holloway the Third, Keeper of the Lost Keys",
    "Brother Bartholomew of the Bottomless Biscuit Tin, Retired but Still Hungry",
    "Lady Philippa Featherstonehaugh-Montgomery, Who Has Never Once Been Wrong",
    "Sir Reginald Thistlewick, Third Runner-up in the County Marrow Contest",
    "Old Mother Quillfeather of the Lighthouse at the Very End of the Map",
    "Maestro Fortissimo Bellaventura, Conductor of Pots, Pans and Pigeons",
    "Doctor Hermione Puddlethwaite, Inventor of the Left-handed Teaspoon",
    "Grand Admiral Wilhelmina Stormcastle of the Duck Pond Flotilla",
    "Uncle Montague Bramblebottom, Who Was There When It Happened Twice",
    "Madame Eulalia de la Tour-Penchée, Fortune-teller by Appointment",
)
PIRATE = "pirate"


async def look_and_choose(guide: Guide) -> None:
    """List, show and choose characters, for oneself, a channel and the server."""
    discord, ada, ben, olga = guide.discord, guide.ada, guide.ben, guide.olga
    guide.chapter("Characters: who is there, and who speaks", "角色：都有谁，谁来说话")
    opened = await guide.slash(olga, "persona create", server=True)
    await guide.submit(opened, name=LONG_NAMES[0], voice="philosopher", traits=["dramatic", "boastful", "sentimental"])
    for name in LONG_NAMES[1:]:
        await guide.slash(olga, "persona import", file=album.plain_card(name), server=True)
    listed = await guide.slash(ada, "persona list")
    await guide.change(ada, listed.message, "More")
    await guide.change(ada, listed.message, "Back")

    typed = guide.either("pir", "海盗")
    assert PIRATE in await guide.complete(ada, "persona show", typed)
    await guide.slash(ada, "persona show", persona=PIRATE)
    await guide.complete(ada, "persona use", typed)
    await guide.slash(ada, "persona use", persona=PIRATE, scope="me")
    await guide.slash(ben, "persona use", persona="queen", scope="server")  # he may not
    await guide.slash(olga, "persona use", persona="queen", scope="server")
    await guide.slash(olga, "persona use", persona="detective", scope="here")
    await guide.post(ada, discord.mention, album.PORTRAIT)
    await guide.said()
    await guide.slash(ada, "persona reset", scope="me")
    await guide.slash(olga, "persona reset", scope="here")
    await guide.slash(olga, "persona reset", scope="server")


async def make_and_change(guide: Guide) -> None:
    """Make a character with mistakes on the way, change it, and delete it in the end."""
    ada, ben, olga = guide.ada, guide.ben, guide.olga
    guide.chapter("Characters of one's own", "自己的角色")
    first = guide.either("Old Finn", "老芬恩")
    await guide.submit(await guide.slash(ada, "persona create"), name=first, voice="cowboy")
    opened = await guide.slash(ada, "persona create")
    taken = await guide.submit(opened, name=first, voice="vampire", traits=["shy", "hungry"])
    mending = await guide.press(ada, taken.message, "Fix it")
    made = await guide.submit(mending, name=guide.either("Count Crumbula", "饼干伯爵"))

    for command in ("edit", "delete"):
        await guide.complete(ada, f"persona {command}")
    edited = await guide.slash(ada, "persona edit", persona=first)
    await guide.submit(await guide.press(ada, edited.message, "Name, voice and sayings"), voice="sergeant")
    asked = await guide.press(ada, edited.message, "Likes, description and picture")
    wrong = await guide.submit(asked, picture=("notes.txt", b"buy milk"))
    mending = await guide.press(ada, wrong.messages[-1], "Fix it")
    await guide.submit(mending, picture=album.photo(album.CAT), talkativeness="quiet")
    await guide.slash(ada, "persona show", persona=first)
    await guide.slash(ben, "persona edit", persona=LONG_NAMES[0])  # it is not his
    await guide.slash(ada, "persona edit", persona=PIRATE)  # built in
    await guide.slash(olga, "persona edit", persona=LONG_NAMES[0])

    asked_once = await guide.slash(ada, "persona delete", persona=first)
    await guide.change(ada, asked_once.message, "Keep it")
    await _take_along(guide, first)
    assert made.message
    asked_again = await guide.slash(ada, "persona delete", persona=guide.either("Count Crumbula", "饼干伯爵"))
    await guide.change(ada, asked_again.message, "Delete it")


async def _take_along(guide: Guide, name: str) -> None:
    """Export a character in both forms, delete it, and bring it back from its own file."""
    ada, olga = guide.ada, guide.olga
    await guide.complete(ada, "persona export", name[:3])
    await guide.slash(ada, "persona export", persona=name, format="json")
    exported = await guide.slash(ada, "persona export", persona=name, format="png")
    [file] = exported.files
    await guide.slash(ada, "persona import", file=(file.name, file.data))  # the name is taken
    deleting = await guide.slash(ada, "persona delete", persona=name)
    await guide.change(ada, deleting.message, "Delete it")
    await guide.slash(ada, "persona import", file=(file.name, file.data))
    await guide.slash(olga, "persona import", file=(file.name, file.data), server=True)


async def bring_a_card(guide: Guide) -> None:
    """Import a character card of another program, look at it, and let it speak; wrong files are told."""
    discord, ada, ben = guide.discord, guide.ada, guide.ben
    guide.chapter("A character card", "角色卡")
    await guide.slash(ben, "persona import", file=("notes.txt", b"buy milk"))
    await guide.slash(ben, "persona import", file=album.photo(album.CAT))
    imported = await guide.slash(ada, "persona import", file=album.card())
    await guide.press(ada, imported.message, "Use it")
    await guide.post(ada, discord.mention, album.PORTRAIT)
    whiskers = await guide.said()
    assert whiskers.author.name == album.CARD["data"]["name"]
    await guide.ask(ben, "do you have a parrot?", whiskers)
    await guide.change(ada, imported.message, "Edit")
    await guide.slash(ada, "persona export", persona=album.CARD["data"]["name"])
    await guide.slash(ada, "persona reset")
