"""A bot with one command, menu, button and form of each kind, to try the loopback Discord with."""

from __future__ import annotations

import asyncio
import re
from typing import Any, Self

import discord
from discord import app_commands, ui
from discord.ext import commands

T = app_commands.locale_str
NONE = discord.AllowedMentions.none()


WORDS = {"pet": "宠物", "feed": "喂", "name": "名字", "A pet": "一只宠物", "Pat it": "摸摸它"}


class Translator(app_commands.Translator):
    """Knows a little Chinese."""

    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        return WORDS.get(string.message) if locale is discord.Locale.chinese else None


class Again(ui.DynamicItem[ui.Button[Any]], template=r"again:(?P<count>\d+)"):
    """A button that survives restarts."""

    def __init__(self, count: int) -> None:
        super().__init__(ui.Button(label="Again", custom_id=f"again:{count}"))
        self.count = count

    @classmethod
    async def from_custom_id(cls, interaction: discord.Interaction, item: ui.Item[Any], match: re.Match[str]) -> Self:
        return cls(int(match["count"]))

    async def callback(self, interaction: discord.Interaction) -> None:
        view = ui.View(timeout=None)
        view.add_item(Again(self.count + 1))
        await interaction.response.edit_message(content=f"Again, {self.count + 1} times.", view=view)


class Who(ui.Select[Any]):
    """A menu of people."""

    def __init__(self) -> None:
        options = [
            discord.SelectOption(label=name, value=name.lower(), description="a person") for name in ("Ann", "Bob")
        ]
        super().__init__(placeholder="Who?", custom_id="who", options=options)

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer()
        await interaction.followup.send(f"You want {self.values[0]}.", ephemeral=True)


class Naming(ui.Modal, title="Name it"):
    """A form with one field of every kind."""

    def __init__(self) -> None:
        super().__init__()
        moods = [discord.RadioGroupOption(label=name, value=name) for name in ("calm", "wild")]
        traits = [discord.CheckboxGroupOption(label=name, value=name[0]) for name in ("grumpy", "silly", "old")]
        self.name: ui.TextInput[Any] = ui.TextInput(max_length=10)
        self.voice: ui.Select[Any] = ui.Select(
            options=[discord.SelectOption(label=name) for name in ("plain", "pirate")]
        )
        self.mood: ui.RadioGroup[Any] = ui.RadioGroup(options=moods, required=False)
        self.traits: ui.CheckboxGroup[Any] = ui.CheckboxGroup(
            options=traits, min_values=0, max_values=2, required=False
        )
        self.avatar: ui.FileUpload[Any] = ui.FileUpload(required=False)
        for name in ("name", "voice", "mood", "traits", "avatar"):
            self.add_item(ui.Label(text=name.title(), component=getattr(self, name)))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        files = [f"{file.filename} of {len(await file.read())} bytes" for file in self.avatar.values]
        parts = [self.name.value, *self.voice.values, str(self.mood.value), *self.traits.values, *files]
        await interaction.response.send_message("; ".join(parts), ephemeral=True)


class SmallBot(commands.Bot):
    """Registers its commands at start, as bots do."""

    def __init__(self, *, content: bool = True) -> None:
        intents = discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=content)
        super().__init__("!", intents=intents, allowed_mentions=NONE, guild_ready_timeout=0.05, max_messages=None)
        self.seen: list[discord.Message] = []
        self.events: list[str] = []

    async def setup_hook(self) -> None:
        await self.tree.set_translator(Translator())
        self.tree.add_command(Pet())
        self.tree.add_command(pat)
        self.tree.add_command(slow)
        self.tree.add_command(naming)
        self.add_dynamic_items(Again)
        await self.tree.sync()

    async def on_message(self, message: discord.Message) -> None:
        self.seen.append(message)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        self.events.append(f"edit {payload.message.content}")

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        self.events.append("delete")

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        self.events.append(f"channel {channel.name} deleted")

    async def on_thread_create(self, thread: discord.Thread) -> None:
        self.events.append(f"thread {thread.name} created")

    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        self.events.append("thread deleted")

    async def on_guild_join(self, guild: discord.Guild) -> None:
        self.events.append(f"joined {guild.name}")

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        self.events.append(f"removed from {guild.name}")


class Pet(app_commands.Group):
    """Slash commands."""

    def __init__(self) -> None:
        super().__init__(name=T("pet"), description=T("A pet"))

    @app_commands.command(name=T("feed"), description="Feed it.")
    @app_commands.rename(kind="kind-of")
    @app_commands.describe(name="its name", kind="what it eats", much="how much")
    @app_commands.choices(
        kind=[app_commands.Choice(name="Fish", value="f"), app_commands.Choice(name="Hay", value="h")]
    )
    async def feed(
        self,
        interaction: discord.Interaction,
        name: app_commands.Range[str, 2, 8],
        kind: str,
        much: app_commands.Range[int, 1, 5] = 1,
        whom: discord.User | None = None,
        photo: discord.Attachment | None = None,
    ) -> None:
        size = len(await photo.read()) if photo else 0
        view = ui.View(timeout=None)
        view.add_item(Again(0))
        view.add_item(Who())
        await interaction.response.send_message(
            f"{name} eats {much} {kind} of {whom} with {size} bytes ({interaction.locale})", view=view
        )

    @feed.autocomplete("name")
    async def names(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=name.title(), value=name) for name in ("rex", "rover", "tom") if typed in name]

    @app_commands.command(description="Think about it.")
    async def think(self, interaction: discord.Interaction, how: str = "secretly") -> None:
        await interaction.response.defer(ephemeral=how == "secretly", thinking=True)
        if how == "forget":
            await interaction.delete_original_response()
            return
        if how == "file":
            file = discord.File(__file__, "a.txt", description="words")
            await interaction.edit_original_response(content="Look.", attachments=[file])
            return
        if how == "followup":
            await interaction.followup.send("Thought.", ephemeral=True)
        else:
            await interaction.edit_original_response(content="Thought.")
        for count in range(6 if how == "much" else 1):
            await interaction.followup.send(f"More {count}.", ephemeral=how == "secretly")


@app_commands.command(name=T("name"), description="Name it.")
@app_commands.default_permissions(manage_guild=True)
async def naming(interaction: discord.Interaction) -> None:
    await interaction.response.send_modal(Naming())


@app_commands.context_menu(name=T("Pat it"))
@app_commands.allowed_installs(guilds=True, users=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
async def pat(interaction: discord.Interaction, message: discord.Message) -> None:
    """Answer with a layout."""
    sizes = [len(await file.read()) for file in message.attachments]
    view = ui.LayoutView(timeout=None)
    text = f"Patted {message.author.name}: {message.content} {sizes}"
    view.add_item(ui.Container(ui.TextDisplay(text), ui.ActionRow(ui.Button(label="Purr", custom_id="purr"))))
    await interaction.response.send_message(view=view)
    for count in range(message.content.count("!")):
        await interaction.followup.send(f"Purr {count}.")


@app_commands.command(description="Do what bots must not.")
async def slow(interaction: discord.Interaction, seconds: float = 0.0, twice: bool = False) -> None:
    await asyncio.sleep(seconds)
    await interaction.response.send_message("At last.")
    if twice:
        interaction.response._response_type = None
        await interaction.response.send_message("Once more.")
