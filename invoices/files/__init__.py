"""Files of tables and archives, in and out. No models, no settings."""
