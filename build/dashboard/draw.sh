#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Draws docs/dashboard.svg: `make run` under load for two minutes, a broker killed half way, and a Prometheus that scrapes its Envoy.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

cache=${ROCKETMQ_PROXY_CACHE:-$PWD/.cache}
port=${PROMETHEUS_PORT:-19090}
build/fetch.sh all prometheus
work=$(mktemp -d)
children=()
trap 'kill "${children[@]}" 2>/dev/null || true; wait; rm -rf "$work"' EXIT

# await WHAT COMMAND...: tries once a second, a minute long.
await() {
  local what=$1
  shift
  for ((i = 0; i < 60; i++)); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 1
  done
  echo "draw.sh: $what did not come" >&2
  exit 1
}

out/bin/run -mode unified -duration 130s >"$work/run.log" 2>&1 &
run=$!
children+=("$run")
await "Envoy" grep -q "admin http://" "$work/run.log"
admin=$(sed -n 's|.*admin http://||p' "$work/run.log")
sed "s/15s/1s/; s/127\.0\.0\.1:9901/$admin/; /^rule_files/d" build/prometheus/prometheus.yaml >"$work/prometheus.yaml"
"$cache/prometheus/bin/prometheus" --config.file="$work/prometheus.yaml" --storage.tsdb.path="$work/data" \
  --web.listen-address="127.0.0.1:$port" --log.level=warn &
children+=("$!")
await "traffic" grep -q ' s  sent' "$work/run.log"
sleep 60
kill -9 "$(sed -n 's:.*broker-b *pid \([0-9]*\).*:\1:p' "$work/run.log" | head -n 1)"
sleep 60
go -C build/dashboard run . -prometheus "http://127.0.0.1:$port" -last 2m -out "$PWD/docs/dashboard.svg"
wait "$run" || true # without the broker that was killed it may not end well
tail -n 1 "$work/run.log"
