#!/usr/bin/env python
"""The command `kgen sample`, from a checkout."""

from kgen.cli import main

main.run("sample")
