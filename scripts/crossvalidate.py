#!/usr/bin/env python
"""The command `kgen crossvalidate`, from a checkout."""

from kgen.cli import main

main.run("crossvalidate")
