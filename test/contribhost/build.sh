#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds OUTDIR/libcontrib_host.so, the dynamic module that plays contrib Envoy in tests. Usage: test/contribhost/build.sh OUTDIR
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
out=${1:?usage: test/contribhost/build.sh OUTDIR}
source "$root/build/module_env.sh"
double=$root/test/contribhost

cxxflags+=("${module_flags[@]}")
compile_and_link "$out/libcontrib_host.so" "${library_flags[*]} -Wl,--version-script=$double/exports.map" \
  "$double"/*.cc "$module"/{address,log_line,scheduler}.cc
