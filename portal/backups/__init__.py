"""A copy of an installation that can be put back: its database and exactly the files that it names."""
