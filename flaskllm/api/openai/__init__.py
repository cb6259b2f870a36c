"""OpenAI's dialect: `/v1` for clients of its SDKs."""
