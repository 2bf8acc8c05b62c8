"""E-invoice formats: CII, UBL, Factur-X, CDAR and their rule sets. No models, no settings."""
