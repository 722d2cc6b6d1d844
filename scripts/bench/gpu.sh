#!/usr/bin/env bash
# Measures DCGAN at 64 pixels on a GPU, kgen beside PyTorch, in at most eight minutes: bash scripts/bench/gpu.sh OUT
# OUT/gpu.json is written after each process, so what was measured before the time is up is kept.
set -euo pipefail
out=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/../.."
timeout --signal=INT 480 python3 scripts/bench.py 'dcgan-64*' --rounds 1 --out "$out/gpu.json" \
    --against torch-channels-last torch-compile torch-cuda-graphs | tee "$out/gpu.md"
