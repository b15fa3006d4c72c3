"""One step of a file judged against what was known before."""
