#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the micro-benchmarks and prints what they print: those of Go, with allocations, and those of the module's queues.
# Usage: build/bench_micro.sh OUTDIR [PACKAGES...]      with packages: theirs only
#   BENCHTIME   how long each runs; default 200ms
#   TREE        the sources that are measured; default these
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=${1:?usage: build/bench_micro.sh OUTDIR [PACKAGES...]}
mkdir -p "$out"
out=$(cd "$out" && pwd)
shift
packages=("$@")
((${#packages[@]})) || packages=(./api/routeconfig ./codec/... ./filter/...)
# One package at a time: they would disturb each other.
(cd "${TREE:-$root}" && go test -run '^$' -bench . -benchmem -benchtime "${BENCHTIME:-200ms}" -p 1 "${packages[@]}") |
  { grep -v '^ok\|no test files\|^PASS' || true; }
(($# > 0)) || "$root/build/module_bench.sh" "$out"
