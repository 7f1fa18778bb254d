#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the commit twice, in two folders and without what Go had built before, and demands the same bytes; then has an Envoy load
# what came out, for arm64 by qemu if there is one. Takes minutes. Usage: build/dist_check.sh [amd64|arm64]... (default: both)
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

# load ARCHITECTURE COMMAND...: has the Envoy that the command starts load two configs with the libraries for the architecture.
load() {
  local architecture=$1 tarball version config log
  shift
  tarball=$(ls "$work"/one/out/dist/*-linux-"$architecture".tar.gz)
  version=$(basename "$tarball" | sed 's/^envoy-rocketmq-proxy-\(.*\)-linux-.*/\1/')
  tar --extract --gzip --file "$tarball" --directory "$work" --strip-components 1 --one-top-level="$architecture"
  for config in unified per-broker; do
    log=$(ENVOY_DYNAMIC_MODULES_SEARCH_PATH=$work/$architecture "$@" --mode validate \
      -c "$work/$architecture/envoy-config/$config.yaml" 2>&1) || { echo "$log" >&2; exit 1; }
    grep -F "rocketmq_proxy: version $version" <<<"$log"
  done
  echo "Envoy for $architecture loads them"
}

root=$PWD
source build/versions/versions.sh
envoy_version=$(newest envoy)
architectures=("$@")
((${#architectures[@]})) || architectures=(amd64 arm64)
for architecture in "${architectures[@]}"; do
  if [[ $architecture == "$(go env GOHOSTARCH)" ]]; then
    load "$architecture" "$ROCKETMQ_PROXY_CACHE/envoy/$envoy_version/envoy"
  elif [[ $architecture == arm64 ]] && command -v qemu-aarch64-static >/dev/null && [[ -d /usr/aarch64-linux-gnu/lib ]]; then
    build/fetch.sh envoy-arm64
    load arm64 qemu-aarch64-static -L /usr/aarch64-linux-gnu "$ROCKETMQ_PROXY_CACHE/envoy-arm64/$envoy_version/envoy"
  else
    echo "NOT LOADED: $architecture; for arm64 install qemu-user-static and libc6-arm64-cross"
  fi
done
echo "two builds of the commit are the same"
