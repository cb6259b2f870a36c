"""Renderings: an event as the body that a kind of receiver takes; pure."""
