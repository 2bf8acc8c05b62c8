"""UN/CEFACT Cross Industry Invoice, read and written."""
