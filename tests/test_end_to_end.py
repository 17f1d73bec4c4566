"""The whole way: people post real photos on the loopback Discord, and whoever is in them answers.

Told once with an engine that needs no models, once with the shipped bundle. What was said lies in
runs/loopback-transcript.txt afterwards.
"""

from importlib.util import find_spec
from pathlib import Path

import pytest

from bot.cogs.engine import Engine
from bot.cogs.photos import FORGOTTEN
from bot.cogs.status import DIRECT
from bot.runtime.bundle import MANIFEST, SHIPPED_BUNDLE
from bot.settings import Settings
from tests.loopback.fake_engine import FakeEngine
from tests.loopback.pictures import picture
from tests.loopback.server import TOKEN, LoopbackDiscord
from tests.loopback.transcript import transcript
from tests.loopback.world import Message

RUNS = Path(__file__).parent.parent / "runs"


@pytest.fixture
def portrait() -> bytes:
    """Return the public-domain portrait that matplotlib carries, or a picture without anybody."""
    found = find_spec("matplotlib")
    if not found or not found.origin:
        return picture("red")
    return (Path(found.origin).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg").read_bytes()


@pytest.fixture(params=["fake", "real"])
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param == "fake":
        return FakeEngine()
    if not (SHIPPED_BUNDLE / MANIFEST).is_file():
        pytest.skip("there is no bundle of models")
    from bot.app import TalkingPhotos

    return TalkingPhotos(provider="cpu")


def spoken(message: Message, name: str) -> str:
    """Check who speaks in a message, under a name of their own or in a plain one, and return the words."""
    if message.webhook_id:
        assert message.author.name == name
        link, _, words = message.content.partition("\n")
        assert link.startswith("-# ↩ [")
    else:
        assert message.content.startswith(f"**{name}:** ")
        words = message.content.removeprefix(f"**{name}:** ")
    assert words.strip()
    return words


async def test_photos_talk_over_a_restart(engine: Engine, portrait: bytes, tmp_path: Path) -> None:
    pirate, plain = engine.personas["pirate"].name, engine.personas["self"].name
    settings = Settings(
        _env_file=None, discord_token=TOKEN, cooldown=0, database_url=f"sqlite+aiosqlite:///{tmp_path}/bot.db"
    )
    async with LoopbackDiscord() as server:
        room, ada, ben, at_bot = server.room, server.ada, server.ben, server.mention
        async with server.running(settings, engine):
            await server.post(room, ada, f"{at_bot} pirate", files=[("portrait.jpg", portrait)])
            opening = await server.next_answer(room)
            spoken(opening, pirate)
            await server.post(room, ben, "what is your name?", reply_to=opening, ping=False)
            named = await server.next_answer(room)
            assert spoken(named, pirate) != spoken(opening, pirate)
            await server.post(room, server.other_bot, f"{at_bot} talk to me", files=[("portrait.jpg", portrait)])
            await server.post(room, ada, "what a day", files=[("portrait.jpg", portrait)])
            await server.silence()

        server.note("the bot is stopped and started again")
        async with server.running(settings, engine):
            await server.post(room, ada, "do you like pineapple on pizza?", reply_to=named)
            spoken(await server.next_answer(room), pirate)

            files = [("portrait.jpg", portrait), ("notes.txt", b"buy milk"), ("sky.png", picture("skyblue", "PNG"))]
            await server.post(room, ben, at_bot, files=files)
            for _ in range(2):
                spoken(await server.next_answer(room), plain)
            await server.post(room, ben, at_bot, files=[("letter.jpg", b"Dear photo, please talk to me.")])
            assert "photo" in (await server.next_answer(room)).content

            direct = server.world.direct(ada)
            await server.post(direct, ada, "hi")
            assert (await server.next_answer(direct)).content == DIRECT
            await server.post(direct, ada, files=[("portrait.jpg", portrait)])
            spoken(await server.next_answer(direct), plain)

            server.note("a moderator deletes the pirate's first message")
            await server.delete(opening)
            await server.post(room, ben, "pirate? are you there?", reply_to=named)
            assert (await server.next_answer(room)).content == FORGOTTEN
            await server.silence()

        RUNS.mkdir(exist_ok=True)
        (RUNS / "loopback-transcript.txt").write_text(transcript(server.world, server.story), encoding="utf-8")
        assert server.rest.violations == []
        assert server.rest.own_faults == []
