"""`python -m flaskllm` is `flaskllm`."""

from flaskllm.cli import main

main()
