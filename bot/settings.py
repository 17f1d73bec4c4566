"""Every setting of the bot, read from the environment and from .env; .env.example explains each one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.domain import BadInput
from bot.runtime.bundle import SHIPPED_BUNDLE

DEVELOPER_PORTAL = "https://discord.com/developers/applications"


class Settings(BaseSettings):
    """What the owner of the bot decides. Times are in the unit the comment names."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore")

    discord_token: SecretStr | None = None
    channels: Annotated[frozenset[int], NoDecode] = frozenset()  # ids of channels where every photo is answered
    database_url: str = "sqlite+aiosqlite:///data/talking-photos.db"
    default_persona: str = "self"  # a persona's id or name
    cooldown: float = Field(3.0, ge=0)  # seconds between two answers to one user
    queue_limit: int = Field(12, ge=1)  # photos and messages that may wait for the engine
    retention_days: int = Field(30, ge=1)  # days without a word after which a conversation is deleted
    provider: Literal["auto", "cpu", "cuda", "tensorrt"] = "auto"
    workers: int = Field(0, ge=0)  # pieces of work the engine does at a time; 0: one a core, at most four
    threads: int = Field(0, ge=0)  # of each of them; 0: as many as there are cores for it
    bundle: Path = SHIPPED_BUNDLE  # folder of models
    health_port: int = Field(0, ge=0, le=65535)  # of this machine alone, for /metrics and /healthz; 0: none
    log_format: Literal["text", "json"] = "text"

    @field_validator("channels", mode="before")
    @classmethod
    def _split_channels(cls, value: object) -> object:
        """Turn ``1, 2`` into its ids."""
        if not isinstance(value, str):
            return value
        ids = value.replace(",", " ").split()
        if not all(item.isdecimal() for item in ids):
            raise ValueError("channels are numeric ids separated by commas (Developer Mode, Copy Channel ID)")
        return frozenset(int(item) for item in ids)

    def require_token(self) -> str:
        """Return the Discord token; raise BadInput when there is none."""
        if self.discord_token is None:
            raise BadInput(f"DISCORD_TOKEN is not set; copy your bot's token from {DEVELOPER_PORTAL} into .env.")
        return self.discord_token.get_secret_value()


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; ``overrides`` win over the environment, which wins over .env.

    Raises BadInput that names the first setting that cannot be used and why.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        name = str(problem["loc"][0]).upper()
        why = str(problem["msg"]).removeprefix("Value error, ")
        raise BadInput(f"The setting {name} cannot be used: {why[:1].lower()}{why[1:]}; correct it in .env.") from None
