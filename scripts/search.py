#!/usr/bin/env python
"""The command `kgen search`, from a checkout."""

from kgen.cli import main

if __name__ == "__main__":  # `search` starts processes, which import this file again
    main.run("search")
