"""``jupyter einfra check``: what is there, what is missing, and how to get it."""
