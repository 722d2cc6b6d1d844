#!/usr/bin/env python
"""The command `kgen attributes`, from a checkout."""

from kgen.cli import main

main.run("attributes")
