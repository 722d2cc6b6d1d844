#!/usr/bin/env python
"""The command `kgen explore`, from a checkout."""

from kgen.cli import main

main.run("explore")
