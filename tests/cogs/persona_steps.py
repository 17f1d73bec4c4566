"""What people do with /persona on the loopback Discord, and how what they see is read."""

from bot.client import TalkingPhotosBot
from bot.domain import Persona
from bot.speech.personas import load_personas
from tests.loopback.exchange import Exchange
from tests.loopback.fake_engine import FakeEngine
from tests.loopback.messages import Message
from tests.loopback.server import LoopbackDiscord
from tests.loopback.world import Channel, User

PIRATE = "Captain Maribel Saltmarrow"
CHINESE = "zh-CN"


class WholeCast(FakeEngine):
    """The fake engine with all built-in personas."""

    def __init__(self) -> None:
        super().__init__()
        self.personas = load_personas()


async def create(
    loopback: LoopbackDiscord, user: User, name: str, *, channel: Channel | None = None, server: bool = False
) -> Message:
    """Let somebody make a character, and return the summary with its buttons."""
    opened = await loopback.slash(user, channel or loopback.room, "persona create", server=server)
    done = await loopback.submit(opened, {"Name": name, "Voice": "Pirate", "Traits, up to three": ["grumpy", "shy"]})
    return shown(done)


def shown(exchange: Exchange) -> Message:
    """Return the message of an answer that only its user sees."""
    assert exchange.ephemeral, exchange.label
    message = exchange.messages[-1]
    assert len(message.content) <= 2000
    return message


def buttons(message: Message) -> list[str]:
    """Return what can be pressed under a message."""
    return [part["label"] for row in message.components for part in row["components"] if not part.get("disabled")]


def fields(opened: Exchange) -> dict[str, object]:
    """Return what stands in a form that was opened, by label."""
    assert opened.modal
    result: dict[str, object] = {}
    for label in opened.modal["components"]:
        part = label["component"]
        chosen = [option["label"] for option in part.get("options", []) if option.get("default")]
        result[label["label"]] = chosen if "options" in part else part.get("value")
    return result


async def only(bot: TalkingPhotosBot, user: User, guild_id: int | None = None) -> Persona:
    """Return the one character that somebody can choose besides the built-in ones."""
    personas = bot.house.personas
    [persona] = [
        one for key, one in (await personas.visible(guild_id, user.id)).items() if key not in personas.built_in
    ]
    return persona


async def chosen(bot: TalkingPhotosBot, loopback: LoopbackDiscord, user: User, channel: Channel | None = None) -> str:
    """Return the name of who speaks to somebody, as the command says it."""
    text = (await loopback.slash(user, channel or loopback.room, "persona list")).text
    return text.split(" speaks here now.")[0]
