"""`/api/v1`: the gateway's own API."""
