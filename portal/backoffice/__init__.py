"""The back-office: Django's admin in the words of accounting staff, one package per menu entry."""
