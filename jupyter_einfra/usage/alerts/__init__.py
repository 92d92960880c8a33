"""Warnings before, explanations after."""
