#!/usr/bin/env python
"""The command `kgen hybrids`, from a checkout."""

from kgen.cli import main

main.run("hybrids")
