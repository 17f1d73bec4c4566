"""Run a session on arrays that stay where they are: bound by address once, read and written in place."""

from __future__ import annotations

import numpy as np

from bot.runtime.session import Session

HIDDEN = -1e9  # added to the attention score of what must not be seen


class Binding:
    """Inputs and outputs of one session, bound to arrays; for one thread at a time."""

    def __init__(self, session: Session) -> None:
        self._session = session._session  # a bound run has no use for feeds by name
        self._io = self._session.io_binding()
        self._bound: dict[str, np.ndarray] = {}  # nobody else may hold them, and the addresses must stay good

    def read(self, name: str, array: np.ndarray) -> None:
        """Let input ``name`` be read from ``array`` (contiguous) at every run from now on."""
        self._bound[f"read {name}"] = array
        self._io.bind_input(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)

    def write(self, name: str, array: np.ndarray) -> None:
        """Let output ``name`` be written into ``array`` (contiguous), which may be one that is read as well."""
        self._bound[f"write {name}"] = array
        self._io.bind_output(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)

    def run(self) -> None:
        """Run the model once; every input and output must be bound."""
        self._session.run_with_iobinding(self._io)


class CacheBinding(Binding):
    """A binding whose keys and values stay in one buffer, which the graph reads and writes in place.

    ``cache`` is (2L, 1, H, R, D) float32: keys and values of L layers by turns, with R slots for tokens.
    """

    def __init__(self, session: Session, room: int) -> None:
        """Bind every past_* input and present_* output, and what tells how many of ``room`` slots are filled."""
        super().__init__(session)
        self._batches = session.batches
        names = [name for name in session.input_shapes if name.startswith("past_")]
        _, heads, _, size = session.input_shapes[names[0]]
        self.cache = np.zeros((len(names), 1, heads, room, size), np.float32)
        for name, part in zip(names, self.cache, strict=True):
            self.read(name, part)
            self.write(name.replace("past_", "present_"), part)
        self._last, self._total = np.zeros(1, np.int32), np.zeros((), np.int32)
        self.read("last", self._last)
        self.read("total", self._total)

    def run_on(self, new: int, filled: int) -> None:
        """Run the model once on so many new tokens, with which so many slots are filled."""
        self._batches.observe(new)
        self._last[:], self._total[...] = filled - 1, filled
        self.run()


def bias_of(seen: np.ndarray) -> np.ndarray:
    """Return what is added to attention scores (1, 1, T, S) float32 so that T tokens see just these (T, S) bool."""
    return np.where(seen, np.float32(0.0), np.float32(HIDDEN))[None, None]
