"""What every page of the back-office shares; knows no page."""
