#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A C or C++ compiler for another architecture and an old C library: build/zig.sh cc|c++ TARGET ARGUMENTS...
#
# Zig, from PyPI and pinned, brings clang, a linker and the symbols of every glibc, so that what it makes is the same on any
# machine. TARGET is as x86_64-linux-gnu.2.17. build/dist.sh uses it.
set -euo pipefail

version=0.15.2
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${ROCKETMQ_PROXY_CACHE:-$root/.cache}
dir=$cache/zig/$version
kind=${1:?usage: build/zig.sh cc|c++ TARGET ARGUMENTS...}
target=${2:?usage: build/zig.sh cc|c++ TARGET ARGUMENTS...}
shift 2

if [[ ! -x $dir/ziglang/zig ]]; then
  mkdir -p "$cache/zig"
  exec 9>"$cache/zig/.lock"
  flock 9
  if [[ ! -x $dir/ziglang/zig ]]; then
    work=$(mktemp -d "$cache/zig/.work.XXXXXX")
    # The published digests of both platforms' wheels (x86_64, aarch64); pip takes whichever fits.
    echo "ziglang==$version --hash=sha256:806316453d1ede7174ed3fefb8e5348154629089c3bb5fe812dfd0e172fac130" \
      "--hash=sha256:edc0aa60ec964a4cf462d40f68d7de242ddf37fd9a80f2afaee6397059463230" >"$work/requirements.txt"
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps --only-binary :all: \
      --target "$work/zig" --requirement "$work/requirements.txt" >&2
    mv "$work/zig" "$dir"
    rm -rf "$work"
  fi
  exec 9>&-
fi

# Three arguments of those that Go and build/module_env.sh give mean something else to Zig, or make what it builds depend on the
# machine; all others are passed on.
#   -Wl,-unresolved-symbols=ignore-all   Zig's linker has it as -z undefs: the plugin's functions of Envoy's are found when it is loaded
#   -g                                   debug information names folders of this machine; the release has none
#   -shared                              and what Zig's own C++ library has of it is left out too
arguments=()
for argument in "$@"; do
  case $argument in
    -Wl,-unresolved-symbols=ignore-all) arguments+=('-Wl,-z,undefs') ;;
    -g) ;;
    -shared) arguments+=(-shared '-Wl,--strip-debug') ;;
    *) arguments+=("$argument") ;;
  esac
done
export ZIG_GLOBAL_CACHE_DIR=$cache/zig/objects ZIG_LOCAL_CACHE_DIR=$cache/zig/objects
exec "$dir/ziglang/zig" "$kind" -target "$target" "${arguments[@]}"
