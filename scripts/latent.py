#!/usr/bin/env python
"""The command `kgen latent`, from a checkout."""

from kgen.cli import main

main.run("latent")
