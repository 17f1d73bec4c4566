"""Run a session on arrays that stay where they are: bound by address once, read and written in place."""

from __future__ import annotations

import numpy as np

from bot.runtime.session import Session


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
