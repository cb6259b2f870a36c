"""Sizes, as people read them."""

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def size_text(size_bytes: int) -> str:
    """Return such as `812 bytes` or `1.5 MiB`."""
    size, unit = float(size_bytes), 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size_bytes} bytes" if not unit else f"{size:.1f} {_UNITS[unit]}"
