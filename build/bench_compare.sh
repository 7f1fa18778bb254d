#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Shows what changed for speed since a revision: the micro-benchmarks of both, in turns, and benchstat's table of them.
# Usage: build/bench_compare.sh BASE
#   COUNT       how often each runs; default 6
#   PACKAGES    Go packages to compare; default all that have benchmarks, and the module's queues
#   SYNTHETIC   1: also both plugins and modules behind Envoy, in turns
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

base=${1:-}
[[ -n $base ]] || { echo "which revision? make bench-compare BASE=main" >&2; exit 2; }
commit=$(git rev-parse --verify --quiet "$base^{commit}") || { echo "$base is no revision" >&2; exit 2; }
benchstat=golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da
read -ra packages <<<"${PACKAGES:-}"

work=$PWD/out/bench-compare
remove() { git worktree remove --force "$work/tree" 2>/dev/null || true; }
remove
rm -rf "$work"
mkdir -p "$work"
trap remove EXIT
trap 'exit 130' INT TERM
git worktree add --quiet --detach "$work/tree" "$commit"

for ((i = 1; i <= ${COUNT:-6}; i++)); do
  echo "round $i of ${COUNT:-6}" >&2
  TREE=$work/tree build/bench_micro.sh "$work/base" ${packages[@]+"${packages[@]}"} >>"$work/base.txt"
  build/bench_micro.sh "$work/head" ${packages[@]+"${packages[@]}"} >>"$work/head.txt"
done
go run "$benchstat" "base=$work/base.txt" "head=$work/head.txt"

if [[ -n ${SYNTHETIC:-} ]]; then
  "$work/tree/build/plugin.sh" "$work/base"
  "$work/tree/build/module.sh" "$work/base"
  build/plugin.sh "$work/head"
  build/module.sh "$work/head"
  go build -o out/bin/bench ./test/bench
  out/bin/bench -quick -parts synthetic -modules "$work/head" -base-modules "$work/base" -json "$work/synthetic.json"
fi
