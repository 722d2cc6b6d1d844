#!/usr/bin/env python
"""The command `kgen pegasus`, from a checkout."""

from kgen.cli import main

main.run("pegasus")
