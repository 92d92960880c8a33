"""What the operator's policy will do about a server that is not used."""
