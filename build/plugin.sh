#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds OUTDIR/librocketmq_proxy.so, the plugin. Usage: build/plugin.sh OUTDIR [TAGS]
# It reports $ROCKETMQ_PROXY_VERSION as its version, by default what git says. With the tag "fault" it panics at marked frames
# (filter/session/fault_injected.go).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "${1:?usage: build/plugin.sh OUTDIR}"
out=$(cd "$1" && pwd)
# -Bsymbolic: what the plugin exports must not be taken over by another library of the process.
(cd "$root" && CGO_ENABLED=1 go build -tags "${2:-}" -buildmode=c-shared -trimpath \
  -ldflags "-s -w -X github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/version.stamped=${ROCKETMQ_PROXY_VERSION:-} -extldflags '-Wl,-Bsymbolic -Wl,-z,lazy'" -o "$out/.librocketmq_proxy.so" ./filter/main)
mv "$out/.librocketmq_proxy.so" "$out/librocketmq_proxy.so"
rm -f "$out/.librocketmq_proxy.h"
