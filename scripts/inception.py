#!/usr/bin/env python
"""The command `kgen inception`, from a checkout."""

from kgen.cli import main

if __name__ == "__main__":
    main.run("inception")
