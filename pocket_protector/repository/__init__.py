"""The only caller of git: history, conflicts and blame."""
