"""Tables of an ERP: columns recognised, rows read as values, compared, written in batches."""
