"""Where `flaskllm` begins, and `python -m flaskllm`."""

import gc


def main() -> None:
    """Run the command line."""
    # Nothing that is being imported is garbage yet: to look for it would take a
    # sixth of the start.
    gc.disable()
    from flaskllm.cli import main as run

    gc.enable()
    run()


if __name__ == "__main__":
    main()
