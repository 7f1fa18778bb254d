#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Where an Envoy's CPU time goes under one cell of the bench: by library, and in system calls per request.
# Needs Linux's perf, and the right to use it.
#
#   test/bench/profile.sh PATH CELL WORKLOAD     e.g. per-broker 16x16 send300
set -euo pipefail
usage="usage: test/bench/profile.sh tcp_proxy|per-broker|unified CxN send300|pull64k"
path=${1:?$usage} cell=${2:?$usage} workload=${3:?$usage}
command -v perf >/dev/null || { echo "perf is not installed (Debian: linux-perf)" >&2; exit 1; }
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ -x out/bin/bench ] || { echo "first: make bench QUICK=1" >&2; exit 1; }

work=$(mktemp -d)
out/bin/bench -force -parts synthetic -cells "$cell" -rounds 1 -window 10s -variants "$path" -workloads "$workload" >"$work/bench" &
bench=$!
trap 'kill "$bench" 2>/dev/null || true; rm -rf "$work"' EXIT
envoy=
for _ in $(seq 100); do
  envoy=$(pgrep -P "$bench" -x envoy) && break
  sleep 0.1
done
[ -n "$envoy" ] || { echo "the bench started no Envoy:" >&2; cat "$work/bench" >&2; exit 1; }
sleep 3 # it has warmed up
calls=(futex nanosleep epoll_wait epoll_ctl readv recvfrom sendto read write)
events=$(printf ',syscalls:sys_enter_%s' "${calls[@]}")
perf stat -x, -p "$envoy" -e "context-switches$events" -o "$work/stat" -- sleep 3
perf record -q -F 1999 -p "$envoy" -o "$work/data" -- sleep 3 2>/dev/null
wait "$bench" || true
line=$(grep -E "^[0-9]+×[0-9]+ +$path " "$work/bench")
rate=$(awk '{print $3}' <<<"$line")
echo "$path, $cell, $workload: $rate requests/s"
echo "calls and switches per request:"
awk -F, -v rate="$rate" '$1 ~ /^[0-9]+$/ && $1 / rate / 3 >= 0.005 {sub(/syscalls:sys_enter_/, "", $3); printf "  %-18s %.2f\n", $3, $1 / rate / 3}' "$work/stat"
echo "CPU time by library:"
perf report -q -i "$work/data" --no-children --sort dso 2>/dev/null | awk '$1 ~ /%$/ && $1 + 0 >= 0.5 {printf "  %-32s %s\n", $2, $1}'
