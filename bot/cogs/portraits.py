"""/portrait: draw people who do not exist, give a character such a face, let the face in a photo smile."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any, TypeVar

import discord
from discord import app_commands
from discord.app_commands import Choice, locale_str
from discord.ext import commands

from bot.cogs.easel import SMILE, Easel, Sitter, thinking
from bot.cogs.house import House
from bot.cogs.languages import answer
from bot.cogs.persona_options import PersonaOptions, with_persona
from bot.cogs.persona_scopes import to_change
from bot.locales import say
from bot.portrait.artist import LARGEST_SEED
from bot.portrait.wishes import Wish, wish_in, wish_of
from bot.ui import portrait_words as words
from bot.ui.persona_words import escaped
from bot.ui.portrait_panel import DrawingPanel, MorphPanel, drawing_file

MAX_IDEA = 200  # characters of a description

T = TypeVar("T")
Idea = app_commands.Range[str, 1, MAX_IDEA]
Seed = app_commands.Range[int, 0, LARGEST_SEED]


def with_wish() -> Callable[[T], T]:
    """Give a command the options that say which face is drawn."""

    def choices(of: dict[str, Any]) -> list[Choice[str]]:
        return [Choice(name=locale_str(name), value=value) for value, name in of.items()]

    def decorate(command: Any) -> Any:
        for decorator in (
            app_commands.rename(
                description=locale_str("description"),
                mood=locale_str("mood"),
                age=locale_str("age"),
                look=locale_str("look"),
                seed=locale_str("seed"),
            ),
            app_commands.describe(
                description=locale_str("A few words, as in: a cheerful old man."),
                mood=locale_str("Calm or happy; else as the description has it."),
                age=locale_str("How old; else as the description has it."),
                look=locale_str("Female or male; else as the description has it."),
                seed=locale_str("A number; the same one draws the same face again."),
            ),
            app_commands.choices(
                mood=choices(words.MOOD_WORDS), age=choices(words.AGE_WORDS), look=choices(words.GENDER_WORDS)
            ),
        ):
            command = decorator(command)
        return command

    return decorate


@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
@app_commands.allowed_installs(guilds=True, users=True)
class PortraitCommands(
    PersonaOptions,
    commands.GroupCog,
    group_name=locale_str("portrait"),
    group_description=locale_str("Faces: draw somebody who does not exist, change the face in a photo."),
):
    """The commands about portraits. Nothing of them is kept but the picture that a character is given."""

    def __init__(self, house: House, easel: Easel) -> None:
        super().__init__(house)
        self._easel = easel

    @app_commands.command(name=locale_str("draw"), description=locale_str("Draw somebody who does not exist."))
    @with_wish()
    async def draw(
        self,
        interaction: discord.Interaction,
        description: Idea | None = None,
        mood: str | None = None,
        age: str | None = None,
        look: str | None = None,
        seed: Seed | None = None,
    ) -> None:
        """Draw a face for everybody to see, and to talk to."""
        described = wish_in(description or "")
        wish = Wish(age, look, mood).over(described)
        audience = await self._easel.admit(interaction)
        understood = not description or described != Wish()
        owner = interaction.user.id
        panel = DrawingPanel(self._easel, audience, owner, wish, self.offer_own, understood=understood)
        async with thinking(interaction, public=audience.public):
            await panel.show(interaction, seed)

    @app_commands.command(name=locale_str("use"), description=locale_str("Give a character a face that suits it."))
    @with_persona(PersonaOptions.offer_own)
    @with_wish()
    async def use(
        self,
        interaction: discord.Interaction,
        persona: str,
        description: Idea | None = None,
        mood: str | None = None,
        age: str | None = None,
        look: str | None = None,
        seed: Seed | None = None,
    ) -> None:
        """Draw a face that suits a character and make it its picture."""
        own = await to_change(self._house, interaction, (await self.found(interaction, persona)).id)
        wish = Wish(age, look, mood).over(wish_in(description or "")).over(wish_of(own.persona))
        locale = self._easel.admit_alone(interaction)
        async with thinking(interaction, public=False):
            number = seed_of(own.persona.id) if seed is None else seed
            drawing = await self._easel.draw(interaction, wish, number)
            own = await to_change(self._house, interaction, own.persona.id)
            await self._house.personas.change(own.persona, avatar=drawing.avatar)
            lines = [
                say(locale, words.PICTURE_OF, name=escaped(own.persona.name)),
                words.drawn(drawing, locale),
                say(locale, words.OTHERS),
            ]
            await answer(interaction, "\n".join(lines), file=drawing_file(drawing, locale))

    @app_commands.command(name=locale_str("morph"), description=locale_str("Let the face in a photo change and back."))
    @app_commands.rename(photo=locale_str("photo"), change=locale_str("change"))
    @app_commands.describe(
        photo=locale_str("A photo with a face in it."),
        change=locale_str("What the face shall do; it smiles unless you say otherwise."),
    )
    @app_commands.choices(
        change=[Choice(name=locale_str(name), value=value) for value, name in words.CHANGE_WORDS.items()]
    )
    async def morph(self, interaction: discord.Interaction, photo: discord.Attachment, change: str = SMILE) -> None:
        """Show how a face would change."""
        sitter = Sitter(photo, interaction.user.id)
        await self._easel.check(interaction, sitter.poster_id)
        audience = await self._easel.admit(interaction)
        async with thinking(interaction, public=audience.public):
            await MorphPanel(self._easel, audience, interaction.user.id, sitter, change).show(interaction)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Stop what is being made of a photo that is deleted."""
        self._easel.drop({event.message_id})

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Stop what is being made of photos that are deleted."""
        self._easel.drop(event.message_ids)


def seed_of(persona_id: str) -> int:
    """Return the seed of a character's first face, always the same."""
    return int.from_bytes(sha256(persona_id.encode()).digest()[:4]) % (LARGEST_SEED + 1)
