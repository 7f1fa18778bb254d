#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the commit twice, in two folders and without what Go had built before, and demands the same bytes; then has an Envoy load
# what came out for this machine. Takes minutes. Usage: build/dist_check.sh [amd64|arm64]... (default: both)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export ROCKETMQ_PROXY_CACHE=${ROCKETMQ_PROXY_CACHE:-$PWD/.cache}
build/fetch.sh envoy
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
folders=(one another/longer/way)
for folder in "${folders[@]}"; do git clone --quiet . "$work/$folder"; done # both now, lest a commit come in between
for folder in "${folders[@]}"; do
  GOCACHE=$work/go/$folder "$work/$folder/build/dist.sh" "$@" # outside: a file that git does not know makes a build "dirty"
done
if ! diff "$work/one/out/dist/SHA256SUMS" "$work/another/longer/way/out/dist/SHA256SUMS"; then
  echo "dist_check.sh: two builds of one commit differ" >&2
  exit 1
fi
cat "$work/one/out/dist/SHA256SUMS"
(cd "$work/one/out/dist" && sha256sum --quiet --check SHA256SUMS)

tarballs=("$work"/one/out/dist/*-"$(go env GOHOSTARCH)".tar.gz)
tar --extract --gzip --file "${tarballs[0]}" --directory "$work" --strip-components 1 --one-top-level=release
version=$(basename "${tarballs[0]}" | sed 's/^envoy-rocketmq-proxy-\(.*\)-linux-.*/\1/')
for config in unified per-broker; do
  log=$(ENVOY_DYNAMIC_MODULES_SEARCH_PATH=$work/release "$ROCKETMQ_PROXY_CACHE"/envoy/1.40.0/envoy --mode validate \
    -c "$work/release/envoy-config/$config.yaml" 2>&1) || { echo "$log" >&2; exit 1; }
  grep -F "rocketmq_proxy: version $version" <<<"$log"
done
echo "two builds of $version are the same, and Envoy loads them"
