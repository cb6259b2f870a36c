"""Anthropic's dialect: `/v1/messages` for clients of its SDKs."""
