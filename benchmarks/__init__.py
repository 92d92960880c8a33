"""Measurements of jupyter-einfra beside its peers. README.md says how to run them."""
