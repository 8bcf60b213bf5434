"""Processes without the seconds in which an interpreter imports what they need.

``warm.py serve SOCKET`` imports all of leadscore, and forks a process for each command that it is
asked for: with the arguments, streams, environment, folder and ignored signals of whoever asks.
``warm.py ask SOCKET leadscore ARGUMENTS...`` and ``warm.py ask SOCKET python CODE ARGUMENTS...``
ask, hand on the signals that they get and end as the command ends. So they may stand wherever
``leadscore`` or ``python -c`` stands: in a pipe of a shell, or in a test that interrupts it. The
hashes of texts are those of the server: another seed needs another interpreter.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import signal
import socket
import sys
from typing import NamedTuple

STREAMS = (0, 1, 2)
HANDED_ON = (signal.SIGINT, signal.SIGTERM)


class Request(NamedTuple):
    """What is to be run, and with what; ``ignored`` are numbers of signals."""

    program: str
    arguments: list[str]
    environment: dict[bytes, bytes]
    folder: bytes
    ignored: list[int]


def ask(address: str, program: str, arguments: list[str]) -> None:
    """Have a command run in our place, and end as it ends."""
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDED_ON)
    ignored = [int(each) for each in HANDED_ON if signal.getsignal(each) is signal.SIG_IGN]
    request = Request(program, arguments, dict(os.environb), os.getcwdb(), ignored)  # noqa: PTH109 (as bytes)
    content = marshal.dumps(tuple(request))
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        socket.send_fds(server, [len(content).to_bytes(4, "big")], STREAMS)
        server.sendall(content)
        command = int.from_bytes(_received(server, 4), "big")
        for each in set(map(int, HANDED_ON)).difference(ignored):
            signal.signal(each, lambda number, _: os.kill(command, number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDED_ON)
        code = int.from_bytes(_received(server, 4), "big", signed=True)
    if code < 0:  # a signal ended it
        with contextlib.suppress(OSError):  # SIGKILL has no other handling
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def serve(address: str) -> Request | None:
    """Fork until standard input ends, which whoever started the server holds.

    Returns
    -------
    In the server, when all is over, None; in each fork what it is to run.
    """
    import select

    _import_all()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while select.select([listener, sys.stdin], [], [])[0] == [listener]:
            connection, _ = listener.accept()
            if not os.fork():
                listener.close()
                return _watch(connection)
            connection.close()
            _reap(os.WNOHANG)
    _reap(0)
    return None


def _import_all() -> None:
    import gc
    import importlib
    import pkgutil

    import leadscore

    for module in pkgutil.walk_packages(leadscore.__path__, "leadscore."):
        importlib.import_module(module.name)
    gc.freeze()


def _reap(options: int) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, options)[0]:
            pass


def _watch(connection: socket.socket) -> Request:
    """Fork the command, and tell of its end; return in the command only."""
    import select

    start, streams, _, _ = socket.recv_fds(connection, 4, len(STREAMS))
    content = _received(connection, int.from_bytes(start, "big"))
    request = Request(*marshal.loads(content))  # noqa: S302 (from `ask`)
    ended, ends_with_it = os.pipe()
    command = os.fork()
    if not command:
        connection.close()
        os.close(ended)
        _become(request, streams)
        return request
    for stream in (*STREAMS, *streams, ends_with_it):
        os.close(stream)
    connection.sendall(command.to_bytes(4, "big"))
    if ended not in select.select([connection, ended], [], [])[0]:
        os.kill(command, signal.SIGKILL)  # whoever asked is gone
    code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
    with contextlib.suppress(OSError):
        connection.sendall(code.to_bytes(4, "big", signed=True))
    os._exit(0)


def _become(request: Request, streams: list[int]) -> None:
    for stream, own in zip(streams, STREAMS, strict=True):
        os.dup2(stream, own)
        os.close(stream)
    os.chdir(request.folder)
    os.environb.clear()
    os.environb.update(request.environment)
    for each in HANDED_ON:
        signal.signal(each, signal.SIG_IGN if each in request.ignored else _usual(each))
    encoding, _, errors = os.environ.get("PYTHONIOENCODING", "").partition(":")
    for name, stream, mode, lenient in (
        ("stdin", 0, "r", "strict"), ("stdout", 1, "w", "strict"),
        ("stderr", 2, "w", "backslashreplace"),
    ):  # fmt: skip
        opened = open(  # noqa: SIM115 (as an interpreter opens them when it starts)
            stream, mode, encoding=encoding or sys.stdout.encoding, errors=errors or lenient,
            closefd=False,
        )  # fmt: skip
        if stream == 2:
            opened.reconfigure(line_buffering=True)
        setattr(sys, name, opened)
        setattr(sys, f"__{name}__", opened)


def _usual(signal_number: int) -> object:
    return signal.default_int_handler if signal_number == signal.SIGINT else signal.SIG_DFL


def _received(connection: socket.socket, count: int) -> bytes:
    """Return so many bytes."""
    content = b""
    while len(content) < count:
        piece = connection.recv(count - len(content))
        if not piece:
            sys.exit("the other side is gone")
        content += piece
    return content


def _run(request: Request) -> None:
    if request.program == "python":
        code, *sys.argv[1:] = request.arguments
        sys.argv[0] = "-c"
        sys.path.insert(0, "")
        exec(code, sys.modules["__main__"].__dict__)  # noqa: S102 (a test's own)
        return
    from leadscore.cli import main

    sys.argv = ["leadscore", *request.arguments]
    main()


if __name__ == "__main__":
    if sys.argv[1] == "ask":
        ask(sys.argv[2], sys.argv[3], sys.argv[4:])
    if wanted := serve(sys.argv[2]):
        _run(wanted)
