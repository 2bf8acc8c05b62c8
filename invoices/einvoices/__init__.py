"""The e-invoice of an invoice in the database: its content and XML, and its checks."""
