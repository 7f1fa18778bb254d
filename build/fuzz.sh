#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes each target of the core for a time. Usage: build/fuzz.sh TIME [TARGET], with a time as 30s or 10m, or as a number
# of executions, 1000000x; all targets, or the one of that name. Inputs that break something are left in testdata/fuzz of the
# package: commit them with the fix. Ends with "fuzz: N targets, N executions, N failures", and with 0 only without failures.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

time=${1:?usage: build/fuzz.sh TIME [TARGET]}
only=${2:-}
targets=0 executions=0 failures=0
report=$(mktemp)
trap 'rm -f "$report"' EXIT
trap 'exit 130' INT TERM
for package in $(grep -rlE '^func Fuzz' --include='*_test.go' api cmd codec filter | xargs -n1 dirname | sort -u); do
  for target in $(go test -list '^Fuzz' "./$package" | grep '^Fuzz'); do
    [ -z "$only" ] || [ "$target" = "$only" ] || continue
    printf '== %s %s\n' "$package" "$target"
    # Shorter inputs are not worth most of the time, which making them shorter would take.
    if ! go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 100x "./$package" >"$report" 2>&1; then
      failures=$((failures + 1))
    fi
    tail -n 3 "$report"
    targets=$((targets + 1))
    executed=$(sed -n 's/.*execs: \([0-9]*\) .*/\1/p' "$report" | tail -n 1)
    executions=$((executions + ${executed:-0}))
  done
done
printf 'fuzz: %d targets, %d executions, %d failures\n' "$targets" "$executions" "$failures"
[ "$failures" = 0 ] && [ "$targets" -gt 0 ]
