"""What a page may fetch: the pictures handed over with it, and nothing else, neither from disk nor from a network."""

from weasyprint import URLFetcher
from weasyprint.urls import URLFetcherResponse


class RefusedError(ValueError):
    """The page asked for something that was not handed over with it."""


class InMemoryFetcher(URLFetcher):  # type: ignore[misc]
    """Answers with the pictures of one document by their address, and refuses everything else.

    The base class opens network, files and data addresses, and prepares an SSL context each time it is made: none of
    it is wanted here, so its constructor is not called.
    """

    def __init__(self, pictures: dict[str, tuple[bytes, str]] | None = None) -> None:
        self._fail_on_errors = False  # a refused picture is left out and logged; the page is printed
        self._pictures = pictures or {}

    def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
        """The picture at ``url``; raises :class:`RefusedError` for anything else."""
        try:
            data, mime = self._pictures[url]
        except KeyError:
            raise RefusedError(f"refused: {url[:200]}") from None
        return URLFetcherResponse(url, data, {"Content-Type": mime})


REFUSING = InMemoryFetcher()
