"""What proves the life of one invoice: its audit trail as a page, and a file that anybody verifies without us."""
