"""A real DNS server on a real socket, that knows what it is given."""

import contextlib
import socketserver
from collections.abc import Iterator
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from tests.support.listening import listening


@contextlib.contextmanager
def running_dns(records: dict[tuple[str, str], list[str]]) -> Iterator[str]:
    """``host:port`` of a server that answers with ``records``: (name, type) → values as a zone file writes them."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            content, connection = self.request
            query = dns.message.from_wire(content)
            question = query.question[0]
            name = str(question.name).rstrip(".").lower()
            kind: Any = dns.rdatatype.to_text(question.rdtype)
            answer = dns.message.make_response(query)
            values = records.get((name, kind), [])
            if values:
                answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *values))
            elif not any(known == name for known, _kind in records):
                answer.set_rcode(dns.rcode.NXDOMAIN)
            connection.sendto(answer.to_wire(), self.client_address)

    with listening(socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler)) as port:
        yield f"127.0.0.1:{port}"
