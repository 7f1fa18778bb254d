#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the benchmarks of the dynamic module's queues.
# Usage: build/module_bench.sh OUTDIR [TREE]      TREE: the sources of the module to measure; by default these
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=${1:?usage: build/module_bench.sh OUTDIR [TREE]}
root=${2:-$here}
source "$here/build/module_env.sh"

cxxflags+=(-O2)
root=$here compile_and_link "$out/module_bench" "-pthread" "$module/event_loop.cc" "$here"/filter/host/module/bench/*.cc
"$out/module_bench"
