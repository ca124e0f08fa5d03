"""Real servers, a process per visitor as inetd starts them: they are there at once, and nothing of them outlives us."""

from __future__ import annotations

import os
import selectors
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest


def require_programs(*programs: str) -> None:
    missing = [name for name in programs if shutil.which(name) is None]
    if missing and os.getuid() != 0:  # root has had the chance to install them: then it is a fault
        pytest.skip(f"not installed: {', '.join(missing)} (scripts/setup.sh does it as root)")


@contextmanager
def inetd(host: str, ports: Sequence[int], command: Sequence[str | Path], *, log: Path) -> Iterator[list[int]]:
    """Run `command` for each visitor, on its standard input and output. The ports, where 0 was asked for any."""
    with ExitStack() as closing:
        output = closing.enter_context(log.open("ab"))
        listeners = [closing.enter_context(socket.create_server((host, port), backlog=64)) for port in ports]
        stop, stopped = socket.socketpair()
        closing.enter_context(stopped)
        closing.enter_context(stop)
        sessions: list[subprocess.Popen[bytes]] = []

        def take(listener: socket.socket) -> None:
            visitor, _ = listener.accept()
            with visitor:
                kept = ["setpriv", "--pdeathsig", "KILL", *command]
                sessions.append(subprocess.Popen(kept, stdin=visitor.fileno(), stdout=visitor.fileno(), stderr=output))
            sessions[:] = [session for session in sessions if session.poll() is None]

        thread = threading.Thread(target=_accept, args=(listeners, stopped, take), daemon=True)
        thread.start()
        try:
            yield [listener.getsockname()[1] for listener in listeners]
        finally:
            stop.close()
            thread.join()
            for session in sessions:
                session.kill()  # it has nothing to lose
                session.wait()


def _accept(listeners: Sequence[socket.socket], stopped: socket.socket, take: Callable[[socket.socket], None]) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(stopped, selectors.EVENT_READ)
        for listener in listeners:
            selector.register(listener, selectors.EVENT_READ, partial(take, listener))
        while True:
            ready = [key.data for key, _ in selector.select()]
            if None in ready:
                return
            for take_one in ready:
                take_one()
