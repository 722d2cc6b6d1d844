#!/usr/bin/env python
"""The command `kgen evaluate`, from a checkout."""

from kgen.cli import main

main.run("evaluate")
