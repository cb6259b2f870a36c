"""Floor 2: talking to models. No Flask, no database."""
