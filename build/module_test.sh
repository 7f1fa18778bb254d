#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the unit tests of the dynamic module.
# Usage: build/module_test.sh OUTDIR [address,undefined|thread] [test name parts...]
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=${1:?usage: build/module_test.sh OUTDIR [SANITIZERS] [NAMES...]}
sanitizers=${2:-}
shift $(($# < 2 ? $# : 2))
source "$root/build/module_env.sh"

flags=(-O1 -g -fno-omit-frame-pointer)
[[ -z $sanitizers ]] || flags+=("-fsanitize=$sanitizers" -fno-sanitize-recover=all)
work=$out/module_test${sanitizers:+-${sanitizers//,/-}}
mkdir -p "$work"

objects=()
jobs=()
for source in "$module"/*.cc "$module"/test/*.cc; do
  object=$work/$(basename "$source" .cc).o
  objects+=("$object")
  # Compiled already, from this source and no older headers.
  [[ ! $object -nt $source || -n $(find "$module" "$root/filter/host/stock" "$root/build" \
    \( -name '*.h' -o -name 'module*.sh' \) -newer "$object") ]] || continue
  "${cxx[@]}" "${cxxflags[@]}" "${flags[@]}" -I"$module/test" -c "$source" -o "$object" &
  jobs+=($!)
  if ((${#jobs[@]} >= 2)); then wait "${jobs[0]}"; jobs=("${jobs[@]:1}"); fi
done
for job in ${jobs[@]+"${jobs[@]}"}; do wait "$job"; done
"${cxx[@]}" "${flags[@]}" "${objects[@]}" -o "$work/module_test" -pthread -ldl
"$work/module_test" "$@"
