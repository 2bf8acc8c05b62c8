"""JSON that another machine or a person wrote."""

import json
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """The value in ``text``. Raises ValueError, also where it is nested too deeply to be read."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
