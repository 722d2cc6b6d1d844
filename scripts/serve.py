#!/usr/bin/env python
"""The command `kgen serve`, from a checkout."""

from kgen.cli import main

main.run("serve")
