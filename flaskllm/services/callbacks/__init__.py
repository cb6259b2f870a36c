"""Callbacks: who is told of what, how it is signed, and when it is sent again."""
