"""Servers on free ports of this machine, each for the time of a test."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler


class ThreadedServer(socketserver.ThreadingTCPServer):
    """A TCP server of a thread per connection, none of which holds up its end."""

    daemon_threads = True


class AnsweringHandler(BaseHTTPRequestHandler):
    """Requests of one server, answered whole and without a word on the terminal of the tests."""

    def body(self) -> bytes:
        """What was sent with the request."""
        return self.rfile.read(int(self.headers["Content-Length"]))

    def answer(self, content: bytes, content_type: str, *, status: int = 200) -> None:
        """Answer with ``content``."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


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
