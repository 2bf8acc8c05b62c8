"""What is remembered from one document to the next, for WeasyPrint 70.0 alone."""
