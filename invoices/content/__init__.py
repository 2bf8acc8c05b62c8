"""An invoice between its two forms: rows of the database and the semantic model."""
