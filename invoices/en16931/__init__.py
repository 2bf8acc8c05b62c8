"""The semantic model of EN 16931 and its code lists. No models, no settings."""
