"""Who wants to know that a customer card was changed: higher rooms, which this one does not know."""

from collections.abc import Callable

from customers.models import Customer

CardListener = Callable[[Customer], None]

_listeners: list[CardListener] = []


def register_card_listener(listener: CardListener) -> None:
    """Have ``listener`` called, within the transaction, after a card was changed by a person; each one once."""
    if listener not in _listeners:
        _listeners.append(listener)


def notify_customer_changed(customer: Customer) -> None:
    """Call all that registered."""
    for listener in _listeners:
        listener(customer)
