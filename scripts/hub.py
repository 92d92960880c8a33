"""`make hub`: a real JupyterHub with the extension, for trying things by hand.

The same set-up as the tests under tests/hub use. Ctrl-C stops the hub, its proxy and
everybody's servers; homes and the database go with them.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from servers.hub import RealHub

USERS = ("alice", "bob")


def main() -> None:
    """Run the hub until it is interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--port", type=int, help="of the hub's address; a free one if left out")
    port: int | None = parser.parse_args().port

    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="einfra-hub-") as directory:
            print("Starting JupyterHub ...", flush=True)
            with RealHub(Path(directory), users=USERS, port=port) as hub:
                print(f"\n  {hub.url}\n")
                print(f"  Sign in as {' or '.join(USERS)} with the password {hub.password}")
                print("  Once alice has started her server, this shares it with bob:")
                print(f"    curl -H 'Authorization: token {hub.token_for('alice')}' \\")
                print(f'      -d \'{{"user": "bob"}}\' {hub.url}hub/api/shares/alice/')
                print(f"  Log: {hub.log}\n\nCtrl-C stops everything.", flush=True)
                signal.pause()
    except KeyboardInterrupt:
        print("\nStopped.")
    except RuntimeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
