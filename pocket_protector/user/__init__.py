"""What this user has seen and decided, kept in their own folder."""
