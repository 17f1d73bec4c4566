"""What stands under portraits: another face, whose picture it shall be, another change, another face of the photo."""

from __future__ import annotations

import io
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import aiohttp
import discord
from discord.app_commands import Choice

from bot.cogs.easel import Audience, Easel, Sitter, faces_of
from bot.cogs.languages import answer
from bot.cogs.persona_scopes import to_change
from bot.domain import BadInput, Scene
from bot.locales import say
from bot.portrait.artist import LARGEST_SEED
from bot.portrait.pictures import Drawing
from bot.portrait.wishes import Wish
from bot.ui import portrait_words as words
from bot.ui.choosing import MAX_LABEL, Choosing
from bot.ui.pages import Buttons, turn_into
from bot.ui.persona_words import escaped

PRESSABLE = 14 * 60.0  # seconds after the last press; a minute later Discord lets nobody take the buttons away

Edit = Callable[..., Awaitable[object]]
Characters = Callable[[discord.Interaction, str], Awaitable[list[Choice[str]]]]  # those that somebody may change


class PicturePanel(Buttons):
    """Buttons under a picture; what they make takes its place. They go when nobody has pressed them for a while."""

    def __init__(self, easel: Easel, audience: Audience, owner_id: int) -> None:
        super().__init__(owner_id, audience.locale, timeout=PRESSABLE)
        self.easel, self.audience = easel, audience
        self._edit: Edit | None = None

    async def send(self, interaction: discord.Interaction, text: str, file: discord.File) -> None:
        """Answer with the picture and the buttons under it."""
        message = await interaction.followup.send(
            text,
            file=file,
            view=self,
            ephemeral=not self.audience.public,
            allowed_mentions=discord.AllowedMentions.none(),
            wait=True,
        )
        self._edit = message.edit

    async def seen(self, interaction: discord.Interaction) -> None:
        """Tell Discord of a press, with which the buttons can be taken away later than with the one before."""
        await interaction.response.defer()
        self._edit = interaction.edit_original_response

    async def press(self, interaction: discord.Interaction) -> None:
        """Count a press that makes another picture; raise BadInput if it comes too early."""
        await self.seen(interaction)
        await self.easel.admit_press(interaction, self.audience)

    async def turn(self, interaction: discord.Interaction, text: str, file: discord.File) -> None:
        """Put another picture in the place of this one; raise BadInput if it is gone."""
        none = discord.AllowedMentions.none()
        try:
            await interaction.edit_original_response(content=text, attachments=[file], view=self, allowed_mentions=none)
        except discord.NotFound:
            raise BadInput("That picture was deleted in the meantime.") from None

    async def on_timeout(self) -> None:
        """Take the buttons away."""
        if self._edit:
            with suppress(discord.HTTPException, aiohttp.ClientError):  # the picture may be gone
                await self._edit(view=None)


class DrawingPanel(PicturePanel):
    """Draws others with the same wish, and makes one of them the picture of a character."""

    def __init__(
        self, easel: Easel, audience: Audience, owner_id: int, wish: Wish, characters: Characters, *, understood: bool
    ) -> None:
        super().__init__(easel, audience, owner_id)
        self._wish, self._characters, self._understood = wish, characters, understood
        self._drawing: Drawing | None = None
        self.add(say(self.locale, "Another"), self._another, discord.ButtonStyle.primary)
        self.add(say(self.locale, "Make it the picture of …"), self._offer)

    async def show(self, interaction: discord.Interaction, seed: int | None) -> None:
        """Draw somebody and answer with the picture."""
        self._drawing = await self.easel.draw(interaction, self._wish, any_seed() if seed is None else seed)
        await self.send(interaction, *self._shown(self._drawing))

    async def _another(self, interaction: discord.Interaction) -> None:
        await self.press(interaction)
        self._drawing = await self.easel.draw(interaction, self._wish, any_seed())
        await self.turn(interaction, *self._shown(self._drawing))

    def _shown(self, drawing: Drawing) -> tuple[str, discord.File]:
        text = words.under_drawing(drawing, self.audience, understood=self._understood)
        return text, drawing_file(drawing, self.locale)

    async def _offer(self, interaction: discord.Interaction) -> None:
        """Ask whose picture it shall be; others need not see what somebody's characters are called."""
        drawing, locale = self._drawing, str(interaction.locale)
        await self.seen(interaction)
        offered = await self._characters(interaction, "")
        if not offered or drawing is None:
            raise BadInput("You have no character of your own yet; make one with /persona create.")

        async def chosen(pick: discord.Interaction, persona_id: str) -> None:
            house = self.easel.house
            own = await to_change(house, pick, persona_id)
            changed = await house.personas.change(own.persona, avatar=drawing.avatar)
            await turn_into(pick, say(locale, words.PICTURE_OF, name=escaped(changed.persona.name)))

        menu = Choosing(self.owner_id, locale, chosen)
        options = [discord.SelectOption(label=choice.name[:MAX_LABEL], value=choice.value) for choice in offered]
        menu.offer(say(locale, "Your own and this server's characters"), options)
        question = say(locale, "Whose picture shall seed {seed} be?", seed=drawing.seed)
        await answer(interaction, question, view=menu)


class MorphPanel(PicturePanel):
    """Changes the face in another way, or another face of the same photo."""

    def __init__(self, easel: Easel, audience: Audience, owner_id: int, sitter: Sitter, change: str) -> None:
        super().__init__(easel, audience, owner_id)
        self._sitter, self._change, self._face = sitter, change, 0
        self._scene: Scene | None = None

    async def show(self, interaction: discord.Interaction) -> None:
        """Change the largest face of the photo and answer with the picture."""
        self._scene, gif = await self.easel.begin(interaction, self._sitter, self._change)
        self._offer(self._scene)
        await self.send(interaction, *self._shown(interaction, self._scene, gif))

    def _offer(self, scene: Scene) -> None:
        """Add the menus: of changes, and of faces where there are several."""
        changes = [(change, say(self.locale, word)) for change, word in words.CHANGE_WORDS.items()]
        self._menu(say(self.locale, "Another change"), changes, self._change_to)
        faces = [words.face(place, scene, self.locale) for place in range(len(faces_of(scene)))]
        if len(faces) > 1:
            numbered = [(str(place), who) for place, who in enumerate(faces)]
            self._menu(say(self.locale, "Another face"), numbered, self._turn_to)

    def _menu(
        self,
        placeholder: str,
        choices: Sequence[tuple[str, str]],
        chosen: Callable[[discord.Interaction, str], Awaitable[None]],
    ) -> None:
        options = [discord.SelectOption(label=label[:MAX_LABEL], value=value) for value, label in choices]
        menu: discord.ui.Select[Any] = discord.ui.Select(placeholder=placeholder, options=options)

        async def pick(interaction: discord.Interaction) -> None:
            await chosen(interaction, menu.values[0])

        menu.callback = pick  # type: ignore[method-assign]
        self.add_item(menu)

    async def _change_to(self, interaction: discord.Interaction, change: str) -> None:
        await self._morph(interaction, change, self._face)

    async def _turn_to(self, interaction: discord.Interaction, face: str) -> None:
        await self._morph(interaction, self._change, int(face))

    async def _morph(self, interaction: discord.Interaction, change: str, face: int) -> None:
        if self._scene is None:
            raise RuntimeError("the menus stand under a picture")
        await self.press(interaction)
        gif = await self.easel.morph(interaction, self._sitter, change, faces_of(self._scene)[face])
        self._change, self._face = change, face
        await self.turn(interaction, *self._shown(interaction, self._scene, gif))

    def _shown(self, interaction: discord.Interaction, scene: Scene, gif: bytes) -> tuple[str, discord.File]:
        who = words.face(self._face, scene, self.locale)
        file = discord.File(
            io.BytesIO(gif),
            "portrait.gif",
            description=words.morph_alt(who, self._change, self.locale),
            spoiler=self._sitter.hidden_in(interaction.channel),
        )
        return words.under_morph(self._sitter.shows, who, self._change, self.locale), file


def drawing_file(drawing: Drawing, locale: str) -> discord.File:
    """Return a drawing as a file with an alternative text."""
    alt = words.drawing_alt(drawing, locale)
    return discord.File(io.BytesIO(drawing.picture), "portrait.png", description=alt)


def any_seed() -> int:
    """Return a seed by chance."""
    return random.randint(0, LARGEST_SEED)
