#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Shows what changed for speed since a revision: the micro-benchmarks of both, in turns, and benchstat's table of them.
#
#   build/bench_compare.sh -base=REVISION [-count=6] [-packages=PACKAGES] [-synthetic=1]
#
# PACKAGES are Go packages, separated by blanks; by default all that have benchmarks are compared, and the module's queues.
# With -synthetic=1 both plugins and modules then take turns behind Envoy.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

base='' count=6 packages=() synthetic=0
for flag in "$@"; do
  case $flag in
    -base=*) base=${flag#*=} ;;
    -count=*) count=${flag#*=} ;;
    -packages=*) read -ra packages <<<"${flag#*=}" ;;
    -synthetic=*) synthetic=${flag#*=} ;;
    *) echo "unknown flag $flag" >&2; exit 2 ;;
  esac
done
[[ -n $base ]] || { echo "which revision? make bench-compare BASE=main" >&2; exit 2; }
commit=$(git rev-parse --verify --quiet "$base^{commit}") || { echo "$base is no revision" >&2; exit 2; }
benchstat=golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da

work=$PWD/out/bench-compare
remove() { git worktree remove --force "$work/tree" 2>/dev/null || true; }
remove
rm -rf "$work"
mkdir -p "$work"
trap remove EXIT
trap 'exit 130' INT TERM
git worktree add --quiet --detach "$work/tree" "$commit"

for ((i = 1; i <= count; i++)); do
  echo "round $i of $count" >&2
  build/bench_micro.sh -tree="$work/tree" "$work/base" ${packages[@]+"${packages[@]}"} >>"$work/base.txt"
  build/bench_micro.sh "$work/head" ${packages[@]+"${packages[@]}"} >>"$work/head.txt"
done
go run "$benchstat" "base=$work/base.txt" "head=$work/head.txt"

if [[ $synthetic != 0 ]]; then
  "$work/tree/build/plugin.sh" "$work/base"
  "$work/tree/build/module.sh" "$work/base"
  build/plugin.sh "$work/head"
  build/module.sh "$work/head"
  go build -o out/bin/bench ./test/bench
  out/bin/bench -quick -parts synthetic -modules "$work/head" -base-modules "$work/base" -json "$work/synthetic.json"
fi
