#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes each target of the core: for a time, looking for new code, or many times, by random changes of seeds and corpus.
#
#   build/fuzz.sh [-fuzztime=30s] [-target=NAME]      30s, 10m, or a number of executions as 1000000x
#   build/fuzz.sh -storm=N [-target=NAME]             at least N executions of each (test/storm), on all processors
#
# All targets, or the one of that name. What breaks something is left in testdata/fuzz of the package, or in a storm printed as a
# file for it: commit it with the fix. Ends with "fuzz: N targets, N executions, N failures", and with 0 only without failures.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=guided amount=30s only=''
for flag in "$@"; do
  case $flag in
    -fuzztime=*) amount=${flag#*=} ;;
    -storm=*) mode=storm amount=${flag#*=} ;;
    -target=*) only=${flag#*=} ;;
    *) echo "unknown flag $flag" >&2; exit 2 ;;
  esac
done
targets=0 executions=0 failures=0
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
unset STORM # of make's: what storm() sets counts
trap 'exit 130' INT TERM

# guided PACKAGE TARGET: prints what go test says last; sets executed.
guided() {
  local report=$work/report failed=0
  # Shorter inputs are not worth most of the time, which making them shorter would take.
  go test -run '^$' -fuzz "^$2\$" -fuzztime "$amount" -fuzzminimizetime 100x "./$1" >"$report" 2>&1 || failed=1
  tail -n 3 "$report"
  executed=$(sed -n 's/.*execs: \([0-9]*\) .*/\1/p' "$report" | tail -n 1)
  return "$failed"
}

# storm PACKAGE TARGET: as many processes as processors share the executions; sets executed.
storm() {
  local binary=$work/test shards seeds each job jobs=() failed=0
  shards=$(nproc)
  rm -f "$binary" "$work"/shard*
  go test -c -o "$binary" "./$1" || return 1
  seeds=$(cd "$1" && "$binary" -test.v -test.run "^$2\$" | grep -c '^    --- PASS') || seeds=1 # a seed fails: the run tells
  each=$(((amount + seeds * shards - 1) / (seeds * shards)))
  for ((shard = 0; shard < shards; shard++)); do
    (cd "$1" && STORM=$each exec "$binary" -test.timeout 0 -test.run "^$2\$") >"$work/shard$shard" 2>&1 &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do wait "$job" || failed=1; done
  executed=$(awk '$1 == "storm:" && $4 == "executions" { n += $3 } END { print n + 0 }' "$work"/shard*)
  ((executed >= amount)) || failed=1
  ((failed == 0)) || head -n 100 "$work"/shard*
  return "$failed"
}

# A package that does not compile has no targets to tell of.
packages=$(grep -rlE '^func Fuzz' --include='*_test.go' api cmd codec filter | xargs -n1 dirname | sort -u)
for package in $packages; do
  listed=$(go test -list '^Fuzz' "./$package")
  mapfile -t names < <(grep '^Fuzz' <<<"$listed")
  for target in "${names[@]}"; do
    [ -z "$only" ] || [ "$target" = "$only" ] || continue
    printf '== %s %s\n' "$package" "$target"
    executed=0
    "$mode" "$package" "$target" || failures=$((failures + 1))
    printf '%s: %d executions\n' "$target" "$executed"
    targets=$((targets + 1))
    executions=$((executions + ${executed:-0}))
  done
done
printf 'fuzz: %d targets, %d executions, %d failures\n' "$targets" "$executions" "$failures"
[ "$failures" = 0 ] && [ "$targets" -gt 0 ]
