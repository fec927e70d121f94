#!/usr/bin/env python3
"""The local stack's command line; `make` calls it. Needs Python 3.10 or newer and nothing else: the rest is installed under .local/."""

import sys

if sys.version_info < (3, 10):
    sys.exit("The local stack needs Python 3.10 or newer; this is " + sys.version.split()[0] + ".")

sys.dont_write_bytecode = True

from stack.cli import main  # noqa: E402  (after the version check, so that an old Python says something useful)

if __name__ == "__main__":
    sys.exit(main())
