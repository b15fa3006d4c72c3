"""Convert a domain's values to variables of a program and to text formats."""
