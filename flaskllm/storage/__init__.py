"""Floor 2: the database. One file per noun. No Flask, no model."""
