#!/usr/bin/env python
"""The command `kgen robustness`, from a checkout."""

from kgen.cli import main

main.run("robustness")
