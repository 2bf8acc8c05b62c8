"""Leave with everything: documents as they are, tables as CSV and JSON, and pages that open without us."""
