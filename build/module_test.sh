#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the unit tests of the dynamic module: as it is compiled for release, or with sanitizers.
# Usage: build/module_test.sh OUTDIR [address,undefined|thread] [test name parts...]
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=${1:?usage: build/module_test.sh OUTDIR [SANITIZERS] [NAMES...]}
sanitizers=${2:-}
shift $(($# < 2 ? $# : 2))
source "$root/build/module_env.sh"

if [[ -n $sanitizers ]]; then
  cxxflags+=(-O1 -g -fno-omit-frame-pointer "-fsanitize=$sanitizers" -fno-sanitize-recover=all)
else
  cxxflags+=("${module_flags[@]}")
fi
test=$out/module_test${sanitizers:+-${sanitizers//,/-}}
sources=("$module"/*.cc "$module"/test/*.cc)
sources=("${sources[@]/$module\/plugin_loader.cc/}") # test/fake_plugin.cc takes its place
compile_and_link "$test" "-pthread -ldl" "${sources[@]}"
"$test" "$@"
