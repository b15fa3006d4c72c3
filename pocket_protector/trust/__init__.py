"""Who may change what: each step of the file judged against what was seen before, and what a reader trusts."""
