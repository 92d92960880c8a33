"""Which Python an installed script runs in."""

from __future__ import annotations

from pathlib import Path


def python_of(script: str) -> str:
    """Return the Python that an installed script belongs to.

    It is named in the script's first line, unless its path is too long for that, or it is
    to be found by ``env``; then it lies beside the script.
    """
    with Path(script).open("rb") as file:
        first = file.readline(4096).decode("utf-8", "replace").strip()
    named = (first.removeprefix("#!").split() or [""])[0]
    if first.startswith("#!/") and "python" in named.rpartition("/")[2]:
        return named
    for name in ("python3", "python"):
        beside = Path(script).parent / name
        if beside.exists():
            return str(beside)
    raise FileNotFoundError(f"{script} does not tell which Python it belongs to.")
