"""What the tests of the mail room share."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.sending import use_smtp
from tests.support.smtp_sink import Sink, running


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    """A server that accepts everything, and to which mails go."""
    server = Sink()
    with running(server) as port:
        use_smtp(settings, port)
        settings.BOUNCE_ADDRESS = "retours@exemple.fr"
        yield server
