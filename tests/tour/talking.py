"""Photos and talks: groups, the buttons under a reply, the menus of a message, threads, and what goes wrong."""

from __future__ import annotations

from tests.tour import album
from tests.tour.guide import Guide, settled

WHO, OWN, BUILT_IN = "Who shall speak?", "Your own and this server's characters", "The characters I came with"


async def portrait(guide: Guide) -> None:
    """Ask for a character, and talk with it."""
    guide.chapter("A photo answers in character", "照片以角色的身份回答")
    await guide.post(guide.ada, f"{guide.discord.mention} detective", album.PORTRAIT)
    detective = await guide.said()
    age = await guide.ask(guide.ben, "how old are you?", detective)
    await guide.ask(guide.ada, "what do you eat for breakfast?", age)


async def group(guide: Guide) -> None:
    """Let the people of a photo speak one after the other."""
    discord, ada, ben = guide.discord, guide.ada, guide.ben
    guide.chapter("Several people in a photo", "照片里有几个人")
    await guide.post(ada, f"{discord.mention} pirate", album.GROUP)
    man = await guide.said()
    asked = await guide.opened(ben, man, "Someone else")
    await guide.pick(ben, asked, WHO, "1")
    woman = await guide.said()
    assert woman.author.name != man.author.name
    await guide.ask(ada, "what are you so happy about?", woman)
    everybody = await guide.opened(ada, man, "Someone else")
    await guide.pick(ada, everybody, WHO, "Everyone, one after the other")
    for _ in range(2):
        last = await guide.said()
    await guide.change(ada, last, "Delete")


async def buttons(guide: Guide) -> None:
    """Press everything that stands under a reply."""
    discord, ada, ben, mia = guide.discord, guide.ada, guide.ben, guide.mia
    guide.chapter("The buttons under a reply", "回答下面的按钮")
    await guide.post(ada, discord.mention, album.PORTRAIT)
    said = await guide.said()
    await guide.change(ben, said, "Again")
    await guide.press(ben, said, "Someone else")  # alone in the photo: another character
    other = await guide.said()
    await discord.until(lambda: said.gone)
    asked = await guide.opened(ada, other, "Persona")
    await guide.pick(ada, asked, BUILT_IN, "detective")
    detective = await guide.said()
    asked = await guide.opened(ada, detective, "Persona")
    own = await guide.pick(ada, asked, OWN, album.CARD["data"]["name"])
    await settled(own)
    whiskers = await guide.said()
    answer = await guide.ask(ben, "why are you so proud?", whiskers)
    await guide.press(discord.add_user("Lin", locale=guide.locale), answer, "Delete")  # neither asked nor posted
    await guide.change(mia, answer, "Delete")
    await guide.change(ada, whiskers, "Delete")
    assert answer.gone
    assert whiskers.gone


async def menus(guide: Guide) -> None:
    """Use the menu of a message, with a photo and without."""
    ada, ben = guide.ada, guide.ben
    guide.chapter("The menu of a message", "消息的菜单")
    holiday = await guide.post(ben, guide.either("us at the museum", "我们在博物馆"), album.GROUP)
    await guide.discord.menu(ada, guide.room, guide.word("Who is in this?"), holiday)
    await guide.discord.menu(ada, guide.room, guide.word("Make it talk"), holiday)
    await guide.said()
    words = await guide.post(ben, guide.either("nice, is it not?", "不错吧？"))
    await guide.discord.menu(ada, guide.room, guide.word("Make it talk"), words)


async def elsewhere(guide: Guide) -> None:
    """Talk in a thread and in direct messages."""
    discord, ada, ben = guide.discord, guide.ada, guide.ben
    guide.chapter("Threads and direct messages", "子区和私信")
    thread = await discord.start_thread(guide.room, guide.either("cat pictures", "猫猫照片"))
    await guide.post(ada, f"{discord.mention} butler", album.CAT, at=thread)
    cat = await guide.said(at=thread)
    await guide.ask(ben, "are you hungry?", cat)

    direct = guide.world.direct(ada)
    await guide.post(ada, "hi", at=direct)
    await guide.said(at=direct)
    await guide.slash(ada, "help", at=direct)
    photo = await guide.post(ada, "", album.PORTRAIT, at=direct)
    said = await guide.said(at=direct)
    await guide.ask(ada, "how are you?", said)
    await discord.menu(ada, direct, guide.word("Make it talk"), photo)
    await guide.said(at=direct)
    asked = await guide.opened(ada, said, "Persona")
    await guide.pick(ada, asked, BUILT_IN, "wizard")
    await discord.until(lambda: said.edited)


async def mistakes(guide: Guide) -> None:
    """Post what is no photo, several photos one of which is broken, and what bots say."""
    discord, ada, ben = guide.discord, guide.ada, guide.ben
    guide.chapter("What goes wrong", "出错的时候")
    await discord.post(guide.room, ben, discord.mention, files=[("letter.txt", b"Dear photo, please talk to me.")])
    await guide.said()
    files = [album.photo(album.CAT), ("broken.jpg", b"this is no photo")]
    await discord.post(guide.room, ada, discord.mention, files=files)
    for _ in range(2):
        await guide.said()
    await discord.post(guide.room, discord.other_bot, discord.mention, files=[album.photo(album.CAT)])
    await discord.silence()
