"""Floor 1: values and rules. No Flask, no network, no database."""
