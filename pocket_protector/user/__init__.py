"""The memory and the decisions of this user, in a folder of their own."""
