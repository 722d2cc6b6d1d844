#!/usr/bin/env python
"""The command `kgen search`, from a checkout."""

from kgen.cli import main

main.run("search")
