"""Where ``collectstatic`` puts the static files."""

from whitenoise.storage import CompressedManifestStaticFilesStorage

from invoices.store.local import WholeFileStorage


class StaticStorage(WholeFileStorage, CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Static files under the fingerprints of their content, and compressed.

    A file that is there is not written again: half of one, left by a command that was killed, would stay.
    """
