"""What happened on this server, for who was not looking."""
