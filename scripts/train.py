#!/usr/bin/env python
"""The command `kgen train`, from a checkout."""

from kgen.cli import main

main.run("train")
