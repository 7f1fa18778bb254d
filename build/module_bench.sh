#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the benchmarks of the dynamic module's queues. Usage: build/module_bench.sh OUTDIR
#   TREE   where the module is that they measure; default here
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
root=${TREE:-$here}
out=${1:?usage: build/module_bench.sh OUTDIR}
source "$here/build/module_env.sh"

mkdir -p "$out"
"${cxx[@]}" "${cxxflags[@]}" -O2 "$module/event_loop.cc" "$here"/filter/host/module/bench/*.cc -o "$out/module_bench"
"$out/module_bench"
