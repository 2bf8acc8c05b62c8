"""Reading of what an ERP exports: tables of customers, contacts, invoices and lines, and its e-invoices."""
