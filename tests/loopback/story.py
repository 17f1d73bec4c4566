"""What happens on the loopback Discord besides new messages, in the order in which it happens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.loopback.messages import Message, Version
from tests.loopback.people import User
from tests.loopback.places import Channel


@dataclass(frozen=True)
class Change:
    """A message says something else from now on."""

    message: Message
    version: Version


@dataclass(frozen=True)
class Removal:
    """A message is gone."""

    message: Message


@dataclass(frozen=True)
class Deed:
    """What somebody did with a command, a menu, a button or a form, as the person sees it.

    ``kind`` is one of command, menu, button, select, form (a form opened) and modal (it was sent); ``modal`` is
    the form as Discord shows it.
    """

    kind: str
    user: User
    channel: Channel
    locale: str
    label: str
    message: Message | None = None
    values: dict[str, Any] = field(default_factory=dict)
    modal: dict[str, Any] | None = None
    time: datetime = field(default_factory=lambda: datetime.now(UTC))


Entry = Message | Change | Removal | Deed | str
