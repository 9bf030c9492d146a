"""``python -m runner``."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    try:
        from runner.cli import main

        main()
    except KeyboardInterrupt:  # before there is a command line that could report it
        sys.stderr.write("runner: interrupted\n")
        sys.exit(130)
