# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # $root is of the script that sources this, which uses what this sets
# Sourced by what builds C++ (module.sh, module_test.sh, module_bench.sh, test/contribhost/build.sh), with $root set: where
# things are, flags, and how to compile and link.

# The one place that names the version of Envoy's dynamic module ABI header.
abi_module=github.com/envoyproxy/envoy/source/extensions/dynamic_modules
abi_version=v0.0.0-20260423231439-f1dd21b16c24

module=$root/filter/host/module
cxx=${CXX:-g++} # may have arguments
abi=$(go mod download -json "$abi_module@$abi_version" |
  sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')
if [[ ! -f $abi/abi/abi.h ]]; then
  echo "cannot find abi/abi.h of $abi_module@$abi_version" >&2
  exit 1
fi
cxxflags=(-std=c++17 -Wall -Wextra -Werror -pthread -isystem "$abi" -I"$module" -I"$root/filter/host")

# As the module is compiled for release: what it exports is listed at the link.
module_flags=(-O2 -g -fPIC -fvisibility=hidden)

# For a library of ours that Envoy loads. Envoy has a C++ library of its own. Lazy binding: functions that a version of Envoy
# lacks must not keep the library from loading.
library_flags=(-shared -static-libstdc++ -static-libgcc -pthread -ldl "-Wl,-z,lazy" "-Wl,-z,noexecstack")

# compile_and_link OUTPUT LDFLAGS SOURCES...: compiles with $cxxflags, what has changed since the last time, and links.
compile_and_link() {
  local output=$1 ldflags=$2 flags=${cxxflags[*]} objects
  shift 2
  objects=$root/out/objects/$(cksum <<<"$cxx $flags" | tr ' ' -)
  make --silent --no-print-directory -j"$(nproc)" -f "$root/build/module.mk" CXX="$cxx" CXXFLAGS="$flags" LDFLAGS="$ldflags" \
    OBJECTS="$objects" OUTPUT="$objects/$(basename "$output")" SOURCES="$*"
  # Moved into place: an Envoy that has the old one loaded keeps it.
  mkdir -p "$(dirname "$output")"
  cmp --silent "$objects/$(basename "$output")" "$output" || {
    cp "$objects/$(basename "$output")" "$output.new"
    mv "$output.new" "$output"
  }
}
