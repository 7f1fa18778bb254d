#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes each target of the core for a time. Usage: build/fuzz.sh TIME, as 30s or 10m. Inputs that break
# something are left in testdata/fuzz of the package: commit them with the fix.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

time=${1:?usage: build/fuzz.sh TIME}
failed=0
for package in ./api/v1 ./api/routeconfig ./codec ./codec/internal/jsonscan ./codec/body ./filter/envoyadmin ./filter/session ./cmd/rocketmq-proxyctl/internal/trace \
  ./cmd/rocketmq-proxyctl/internal/cli; do
  for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz'); do
    printf '== %s %s\n' "$package" "$target"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" | tail -n 3 || failed=1
  done
done
exit "$failed"
