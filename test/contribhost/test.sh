#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the tests of the plugin in the double of contrib Envoy.
# Usage: test/contribhost/test.sh OUTDIR [address,undefined|thread] [test name parts...]
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
out=${1:?usage: test/contribhost/test.sh OUTDIR [SANITIZERS] [NAMES...]}
sanitizers=${2:-}
shift $(($# < 2 ? $# : 2))
source "$root/build/module_env.sh"
double=$root/test/contribhost

"$root/build/plugin.sh" "$out" fault # it panics at marked frames, and is the released one otherwise
cxxflags+=(-I"$double" -I"$module/test")
if [[ -z $sanitizers ]]; then
  cxxflags+=("${module_flags[@]}")
else
  cxxflags+=(-O1 -g -fno-omit-frame-pointer "-fsanitize=$sanitizers" -fno-sanitize-recover=all)
fi
compile_and_link "$out/contribhost_broker" -pthread "$double/test/broker/main.cc"
# The plugin finds the functions of contrib Envoy in the executable.
compile_and_link "$out/contribhost_test" "-rdynamic -pthread -ldl" \
  "$double"/*.cc "$double"/test/*.cc "$module"/{address,log_line,scheduler}.cc "$module"/test/{fake_envoy,main}.cc
# With a garbage collector that is always at work.
GOGC=1 ROCKETMQ_PROXY_PLUGIN=$out/librocketmq_proxy.so CONTRIBHOST_BROKER=$out/contribhost_broker "$out/contribhost_test" "$@"
