"""Our own checks of an invoice, beside the official rule sets."""
