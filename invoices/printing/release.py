"""The release of WeasyPrint whose private functions we replace."""

import logging
from functools import cache

import weasyprint

logger = logging.getLogger(__name__)


WRITTEN_FOR = "70.0"


@cache
def is_right_release() -> bool:
    """Whether WeasyPrint is the release that the replacements for its private functions were written for."""
    if weasyprint.__version__ == WRITTEN_FOR:
        return True
    logger.warning(
        "WeasyPrint %s is not %s: invoices are printed without memory, slower", weasyprint.__version__, WRITTEN_FOR
    )
    return False
