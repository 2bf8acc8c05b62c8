"""Servers on free ports of this machine, each for the time of a test."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class ThreadedServer(socketserver.ThreadingTCPServer):
    """A TCP server of a thread per connection, none of which holds up its end."""

    daemon_threads = True


@contextmanager
def listening(server: socketserver.TCPServer) -> Iterator[int]:
    """Let ``server`` serve in a thread; its port. It is closed at the end."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()
