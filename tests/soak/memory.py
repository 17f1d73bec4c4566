"""What the bot should remember in the end, and what it does."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Remembered:
    """Photos by the ids of their messages: talked about, forgotten again, and those nobody can be sure of."""

    poster: dict[int, int] = field(default_factory=dict)
    channel: dict[int, int] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    unsure: set[int] = field(default_factory=set)

    def spoke(self, photo: int, poster: int, channel: int) -> None:
        """Somebody in a photo spoke."""
        self.poster[photo], self.channel[photo] = poster, channel

    def forget(self, *photos: int) -> None:
        """A photo, or the only talk about it, was deleted."""
        self.gone.update(photos)

    def forget_user(self, user: int) -> None:
        """Everything of somebody's was erased."""
        self.gone |= {photo for photo, poster in self.poster.items() if poster == user}

    def forget_channel(self, channel: int) -> None:
        """A channel was deleted."""
        self.gone |= {photo for photo, where in self.channel.items() if where == channel}

    def compare(self, database: Path) -> dict[str, int]:
        """Hold what the database has against what it should have."""
        with sqlite3.connect(database) as connection:
            photos = {row[0] for row in connection.execute("SELECT DISTINCT photo_message_id FROM conversations")}
            orphans = connection.execute(
                "SELECT count(*) FROM turns WHERE conversation_id NOT IN (SELECT id FROM conversations)"
            ).fetchone()[0]
            orphans += connection.execute(
                "SELECT count(*) FROM messages WHERE conversation_id NOT IN (SELECT id FROM conversations)"
            ).fetchone()[0]
            counts = {
                f"rows of {table}": connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
                for table in ("conversations", "turns", "messages", "personas", "scopes", "opt_outs")
            }
        connection.close()
        should = set(self.poster) - self.gone - self.unsure
        return {
            "photos to be remembered": len(should),
            "remembered": len(should & photos),
            "forgotten too early": len(should - photos),
            "kept too long": len((photos & self.gone) - self.unsure),
            "not known": len(photos - set(self.poster) - self.unsure - self.gone),
            "unsure": len(self.unsure),
            "rows without a conversation": orphans,
            **counts,
        }
