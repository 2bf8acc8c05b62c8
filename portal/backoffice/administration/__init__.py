"""Administration: users, rights, history."""
