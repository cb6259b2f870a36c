"""One parser per transcript format: lines of a file -> turns."""
