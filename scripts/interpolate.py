#!/usr/bin/env python
"""The command `kgen interpolate`, from a checkout."""

from kgen.cli import main

main.run("interpolate")
