"""A domain's values as variables of a program and in text formats."""
