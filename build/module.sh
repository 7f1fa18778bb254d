#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds OUTDIR/librocketmq_proxy_host.so, the dynamic module that runs the plugin in stock Envoy.
# Needs g++ and Go (which only fetches Envoy's ABI header). Usage: build/module.sh OUTDIR
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=${1:?usage: build/module.sh OUTDIR}
mkdir -p "$out"
source "$root/build/module_env.sh"

objects=()
jobs=()
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for source in "$module"/*.cc; do
  object=$work/$(basename "$source" .cc).o
  objects+=("$object")
  "${cxx[@]}" "${cxxflags[@]}" -O2 -g -fPIC -fvisibility=hidden -c "$source" -o "$object" &
  jobs+=($!)
  # Two at a time; every failure counts.
  if ((${#jobs[@]} >= 2)); then wait "${jobs[0]}"; jobs=("${jobs[@]:1}"); fi
done
for job in "${jobs[@]}"; do wait "$job"; done

# Lazy binding: callbacks that a version of Envoy lacks must not keep the module from loading.
"${cxx[@]}" -shared "${objects[@]}" -o "$work/librocketmq_proxy_host.so" \
  -static-libstdc++ -static-libgcc -pthread -ldl \
  -Wl,-z,lazy -Wl,-z,noexecstack -Wl,--version-script="$module/exports.map"
mv "$work/librocketmq_proxy_host.so" "$out/librocketmq_proxy_host.so"
