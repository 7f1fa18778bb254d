#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds OUTDIR/librocketmq_proxy_host.so, the dynamic module that runs the plugin in stock Envoy.
# Needs g++ and Go (which only fetches Envoy's ABI header). Usage: build/module.sh OUTDIR
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=${1:?usage: build/module.sh OUTDIR}
source "$root/build/module_env.sh"

cxxflags+=("${module_flags[@]}")
compile_and_link "$out/librocketmq_proxy_host.so" "${library_flags[*]} -Wl,--version-script=$module/exports.map" "$module"/*.cc
