"""The way of an e-invoice: statuses, hand-over, new versions."""
