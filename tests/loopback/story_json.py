"""The story of a loopback run as JSON, for whoever draws pictures of it."""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Sequence
from typing import Any

from tests.loopback.messages import File, Version
from tests.loopback.places import DIRECT, GROUP, PUBLIC_THREAD
from tests.loopback.story import Change, Deed, Entry, Removal
from tests.loopback.transcript import deed_line, drawn, readable
from tests.loopback.world import Channel, Message, User, World

KINDS = {DIRECT: "direct", GROUP: "group", PUBLIC_THREAD: "thread"}


def story_json(world: World, story: Sequence[Entry], *, files: bool = False) -> list[dict[str, Any]]:
    """Return one object for every entry; ``files`` adds the attachments as data URIs.

    Every object has a ``type``: message, edit, delete, note, or what somebody did (command, menu, button, select,
    form, modal). An edit and a delete name the message by its id.
    """
    return [_entry(world, entry, files) for entry in story]


def _entry(world: World, entry: Entry, files: bool) -> dict[str, Any]:
    if isinstance(entry, str):
        return {"type": "note", "text": entry}
    if isinstance(entry, Removal):
        return {"type": "delete", "id": str(entry.message.id), "channel": _channel(entry.message.channel)}
    if isinstance(entry, Deed):
        return _deed(entry)
    if isinstance(entry, Change):
        return _message(world, entry.message, entry.version, files) | {"type": "edit", "edited": True}
    return _message(world, entry, entry.versions[0] if entry.versions else entry.remember(), files)


def _message(world: World, message: Message, version: Version, files: bool) -> dict[str, Any]:
    target, answers, hook = message.reply_to, message.answers, world.webhooks.get(message.webhook_id or 0)
    return {
        "type": "message",
        "id": str(message.id),
        "time": version.time.isoformat(),
        "channel": _channel(message.channel),
        "author": _author(message.author),
        "webhook": hook.name if hook else None,
        "content": version.content,
        "readable": readable(world, version.content),
        "names": {str(user.id): user.name for user in [world.bot, *world.people]},
        "reply_to": _quoted(world, target) if target and not (answers and answers.opens_talk) else None,
        "used": {"user": answers.user.name, "what": answers.label} if answers and answers.opens_talk else None,
        "components": list(version.components),
        "drawn": [readable(world, line) for line in drawn(version.components)],
        "embeds": message.embeds,
        "only_for": message.only_for.name if message.only_for else None,
        "edited": False,
        "attachments": [_file(file, files) for file in version.files],
    }


def _deed(deed: Deed) -> dict[str, Any]:
    return {
        "type": deed.kind,
        "time": deed.time.isoformat(),
        "channel": _channel(deed.channel),
        "user": _author(deed.user),
        "locale": deed.locale,
        "label": deed.label,
        "values": {key: [*value] if isinstance(value, tuple) else value for key, value in deed.values.items()},
        "message": str(deed.message.id) if deed.message else None,
        "line": deed_line(deed),
        "modal": deed.modal,
    }


def _channel(channel: Channel) -> dict[str, Any]:
    return {
        "name": channel.name,
        "kind": KINDS.get(channel.kind, "text"),
        "parent": channel.parent.name if channel.parent else None,
        "server": channel.guild.name if channel.guild else None,
        "nsfw": channel.nsfw,
    }


def _author(user: User) -> dict[str, Any]:
    avatar = data_uri(user.avatar, "avatar.png") if user.avatar else user.avatar_url
    return {"id": str(user.id), "name": user.name, "bot": user.bot, "hook": user.hook, "avatar": avatar}


def _quoted(world: World, message: Message) -> dict[str, Any]:
    return {
        "id": str(message.id),
        "author": _author(message.author),
        "text": readable(world, message.text),
        "gone": message.gone,
        "files": [file.name for file in message.files],
    }


def _file(file: File, whole: bool) -> dict[str, Any]:
    entry = {"name": file.name, "size": len(file.data), "description": file.description}
    return {**entry, "data": data_uri(file.data, file.name)} if whole else entry


def data_uri(data: bytes, name: str) -> str:
    """Return bytes in a form that a page can hold."""
    kinds = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "image/webp"}
    seen = next((kind for start, kind in kinds.items() if data.startswith(start)), None)
    kind = seen or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
