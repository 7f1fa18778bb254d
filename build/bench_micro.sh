#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the micro-benchmarks and prints what they print: those of Go, with allocations, and those of the module's queues.
#
#   build/bench_micro.sh [-benchtime=200ms] [-tree=FOLDER] OUTDIR [PACKAGES...]
#
# With packages: theirs only. FOLDER has the sources to measure; by default these.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
benchtime=200ms tree=$root
while [[ ${1:-} == -* ]]; do
  case $1 in
    -benchtime=*) benchtime=${1#*=} ;;
    -tree=*) tree=${1#*=} ;;
    *) echo "unknown flag $1" >&2; exit 2 ;;
  esac
  shift
done
out=${1:?usage: build/bench_micro.sh [-benchtime=200ms] [-tree=FOLDER] OUTDIR [PACKAGES...]}
mkdir -p "$out"
out=$(cd "$out" && pwd)
shift
packages=("$@")
((${#packages[@]})) || packages=(./api/routeconfig ./codec/... ./filter/...)
# One package at a time: they would disturb each other.
(cd "$tree" && go test -run '^$' -bench . -benchmem -benchtime "$benchtime" -p 1 "${packages[@]}") |
  { grep -v '^ok\|no test files\|^PASS' || true; }
(($# > 0)) || "$root/build/module_bench.sh" "$out" "$tree"
