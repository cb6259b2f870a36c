"""One parser per transcript format: text of a file -> turns."""
