from collections.abc import AsyncIterator

import pytest

from tests.loopback.server import LoopbackDiscord


@pytest.fixture
async def loopback() -> AsyncIterator[LoopbackDiscord]:
    """Give an empty Discord; whatever the bot asks of it must be right in the end."""
    async with LoopbackDiscord() as server:
        yield server
    assert server.rest.violations == []
    assert server.rest.own_faults == []
