#!/usr/bin/env python
"""The command `kgen export`, from a checkout."""

from kgen.cli import main

main.run("export")
