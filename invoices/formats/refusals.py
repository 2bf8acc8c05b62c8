"""Why a file is not taken as an invoice: one French sentence each."""


class UnreadableEInvoice(Exception):  # noqa: N818 - the word of the house: a file is refused, nothing has gone wrong
    """The file cannot be read as an e-invoice; ``reason`` is a French sentence for the person who gave it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NoEmbeddedInvoice(UnreadableEInvoice):
    """A sound PDF without an invoice inside: legal where a row of a table accompanies it."""


class LifecycleMessage(UnreadableEInvoice):
    """A status message (CDAR) and not an invoice: another reader takes it."""


class Order(UnreadableEInvoice):
    """A purchase order (Order-X, UBL Order) and not an invoice."""
