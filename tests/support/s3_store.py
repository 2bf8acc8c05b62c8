"""A simulated S3 store on a port of this machine. All of them in a process share their buckets."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto.server import ThreadedMotoServer


@contextmanager
def running_s3(bucket: str) -> Iterator[tuple[str, Any]]:
    """A store with ``bucket``: the address under which documents are kept there (*portail/*), and a client of it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        _host, port = server.get_host_and_port()
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
            region_name="us-east-1",
        )
        client.create_bucket(Bucket=bucket)
        try:
            yield f"s3://key:secret@127.0.0.1:{port}/{bucket}/portail?tls=0", client
        finally:
            client.close()
    finally:
        server.stop()
