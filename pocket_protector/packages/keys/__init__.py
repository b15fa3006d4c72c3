"""Public and private keys that packages are sealed to."""
