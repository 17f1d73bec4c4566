"""The story of a run, for people and for pictures."""

import base64
import json

from tests.loopback.pictures import picture
from tests.loopback.server import LoopbackDiscord
from tests.loopback.small_bot import SmallBot
from tests.loopback.story_json import story_json
from tests.loopback.transcript import transcript

EXPECTED = """\
== #photos ==
Ben: [me.png] look, @Ada
> Ada (zh-CN) chose "摸摸它" on Ben: [me.png] look, @Ada
Talking Photos [BOT]:
    Patted ben: look, <@ADA> [SIZE]
    [Purr]
> Ada used /pet feed name: rex; kind-of: Fish; whom: Ben
Talking Photos [BOT]: rex eats 1 f of ben with 0 bytes (en-US)
    [Again]
    <Who?: Ann | Bob>
> Ben pressed [Again] on Talking Photos: rex eats 1 f of ben with 0 bytes (en-US)
Talking Photos [BOT] (edited): Again, 1 times.
    [Again]
> Olga used /name
> Olga sees the form "Name it" with Name: -; Voice: -; Mood: -; Traits: -; Avatar: -
> Olga sent the form "Name it" with Name: Rex; Voice: pirate; Mood: -; Traits: old; Avatar: a.png
Talking Photos [BOT] (only Olga sees this): Rex; pirate; None; o; a.png of 5 bytes

    (a webhook comes)
Captain [BOT]: Ahoy
  ,-- Talking Photos: Again, 1 times.
Ben: well
  x  Captain's message is deleted: Ahoy

== #photos > talk ==
Ada: in a thread

== direct message with Ada ==
> Ada used /pet think
Talking Photos [BOT] (only Ada sees this): Thought.
Talking Photos [BOT] (only Ada sees this): More 0.
"""


async def run(loopback: LoopbackDiscord) -> None:
    """Do a little of everything."""
    room, ada, ben, owner = loopback.room, loopback.ada, loopback.ben, loopback.world.owner
    client = SmallBot()
    async with loopback.connected(client):
        photo = await loopback.post(room, ben, f"look, <@{ada.id}>", files=[("me.png", picture("red", "PNG"))])
        await loopback.menu(ada, room, "摸摸它", photo, locale="zh-CN")
        fed = await loopback.slash(ada, room, "pet feed", name="rex", kind_of="Fish", whom=ben)
        assert fed.message
        await loopback.press(ben, fed.message, "Again")
        form = await loopback.slash(owner, room, "name")
        await loopback.submit(
            form, {"Name": "Rex", "Voice": "pirate", "Traits": ["old"], "Avatar": ("a.png", b"bytes")}
        )
        loopback.note("a webhook comes")
        hook = await client.get_channel(room.id).create_webhook(name="Photo people")  # type: ignore[union-attr]
        await hook.edit(avatar=picture("blue", "PNG"))
        sent = await hook.send("Ahoy", username="Captain", wait=True)
        await loopback.post(room, ben, "well", reply_to=fed.message)
        await sent.delete()
        thread = await loopback.start_thread(room, "talk")
        await loopback.post(thread, ada, "in a thread")
        thought = await loopback.slash(ada, loopback.world.direct(ada), "pet think")
        await thought.more()


async def test_a_transcript_tells_who_said_and_did_what(loopback: LoopbackDiscord) -> None:
    await run(loopback)
    size = str(len(picture("red", "PNG")))
    told = transcript(loopback.world, loopback.story).replace(f"[{size}]", "[SIZE]")
    assert told == EXPECTED.replace("<@ADA>", "@Ada")


async def test_the_story_as_json(loopback: LoopbackDiscord) -> None:
    await run(loopback)
    story = story_json(loopback.world, loopback.story, files=True)
    assert json.loads(json.dumps(story)) == story
    kinds = [entry["type"] for entry in story]
    assert kinds.count("message") == 9
    assert [kind for kind in kinds if kind != "message"] == [
        *("menu", "command", "button", "edit", "command", "form", "modal", "note", "delete", "command")
    ]
    photo, menu, patted = story[:3]
    assert base64.b64decode(photo["attachments"][0]["data"].removeprefix("data:image/png;base64,")) == picture(
        "red", "PNG"
    )
    assert (menu["line"], menu["message"]) == ('Ada (zh-CN) chose "摸摸它"', photo["id"])
    assert patted["used"] == {"user": "Ada", "what": "摸摸它"}
    edit = next(entry for entry in story if entry["type"] == "edit")
    assert (edit["content"], edit["edited"]) == ("Again, 1 times.", True)
    form = next(entry for entry in story if entry["type"] == "form")
    assert [part["label"] for part in form["modal"]["components"]][:2] == ["Name", "Voice"]
    hooked = next(entry for entry in story if entry["type"] == "message" and entry["webhook"])
    assert (hooked["author"]["name"], hooked["webhook"]) == ("Captain", "Photo people")
    assert hooked["author"]["avatar"].startswith("data:image/png;base64,")
    secret = next(entry for entry in story if entry.get("only_for"))
    assert secret["only_for"] == "Olga"
    assert "data" not in story_json(loopback.world, loopback.story)[0]["attachments"][0]
