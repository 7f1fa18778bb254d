# SPDX-License-Identifier: Apache-2.0
# Shared by module.sh and module_test.sh (sourced, with $root set): where things are, and flags.

# The one place that names the version of Envoy's dynamic module ABI header.
abi_module=github.com/envoyproxy/envoy/source/extensions/dynamic_modules
abi_version=v0.0.0-20260423231439-f1dd21b16c24

module=$root/filter/host/module
read -ra cxx <<<"${CXX:-g++}" # a command with its arguments
abi=$(go mod download -json "$abi_module@$abi_version" |
  sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')
if [[ ! -f $abi/abi/abi.h ]]; then
  echo "cannot find abi/abi.h of $abi_module@$abi_version" >&2
  exit 1
fi
cxxflags=(-std=c++17 -Wall -Wextra -Werror -pthread)
cxxflags+=(-isystem "$abi" -I"$module" -I"$root/filter/host")
