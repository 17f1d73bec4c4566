"""What the cogs share, built once by bot/client.py and handed down."""

from __future__ import annotations

from dataclasses import dataclass

import discord
from discord import app_commands
from discord.ext import commands

from bot.cogs.engine import Desk
from bot.cogs.hooks import Hooks
from bot.cogs.languages import Languages
from bot.settings import Settings
from bot.store.conversations import Conversations
from bot.store.personas import Personas
from bot.store.privacy import Privacy
from bot.store.scopes import Place, Scopes

# What also works where only a user has installed the bot.
EVERYWHERE = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)
ANYBODY = app_commands.AppInstallationType(guild=True, user=True)


@dataclass(frozen=True, slots=True)
class House:
    """The bot, its settings, its engine's desk and its memory."""

    bot: commands.AutoShardedBot
    settings: Settings
    desk: Desk
    hooks: Hooks
    languages: Languages
    personas: Personas
    scopes: Scopes
    conversations: Conversations
    privacy: Privacy


def place_of(where: discord.Message | discord.Interaction) -> Place:
    """Return the server, channel, thread and member of a message or an interaction, for the scopes."""
    user = where.author if isinstance(where, discord.Message) else where.user
    channel = where.channel
    channel_id = channel.id if channel else 0
    guild_id = where.guild.id if where.guild else getattr(where, "guild_id", None)
    parent = getattr(channel, "parent_id", None)
    if isinstance(channel, discord.Thread) and parent:
        return Place(guild_id, parent, channel_id, user.id)
    return Place(guild_id, channel_id, None, user.id)
