#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Checks a running sandbox (docker compose up): topics can be made, messages sent, routes name nothing but Envoy, and
# Envoy, Prometheus and Grafana show it. Usage: build/compose/verify.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

admin=http://localhost:9901 prometheus=http://localhost:9090 grafana=http://localhost:3000
say() { printf '== %s\n' "$*"; }
die() { printf 'verify: %s\n' "$*" >&2; exit 1; }

# until_ok TIMES COMMAND...: tries once a second.
until_ok() {
  local times=$1
  shift
  for ((i = 0; i < times; i++)); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 1
  done
  die "gave up after $times s: $*"
}

tools() { docker compose run --rm --no-TTY tools "$@"; }

# value_of NAME: a counter or a gauge of the filter.
value_of() { curl --fail --silent --max-time 5 "$admin/stats?filter=%5Erocketmq%5C.sandbox%5C.$1%24" | sed 's/.*: //'; }

# above NAME NUMBER: whether a stat is greater.
above() { [[ $(value_of "$1") -gt $2 ]]; }

both_brokers() { tools sh mqadmin clusterList | grep -q broker-a && tools sh mqadmin clusterList | grep -q broker-b; }

say "Envoy, and both brokers behind it"
until_ok 60 curl --fail --silent --max-time 5 "$admin/ready"
until_ok 60 both_brokers

say "a topic on both brokers"
tools sh mqadmin updateTopic -c DefaultCluster -t TopicTest | grep -q 'create topic to' || die "the topic could not be made"

say "its route names Envoy only"
route=$(tools sh mqadmin topicRoute -t TopicTest)
for address in localhost:20911 localhost:20921; do
  grep -q "$address" <<<"$route" || die "the route lacks $address: $route"
done
if grep -q ':10911' <<<"$route"; then die "the route has a broker's own address: $route"; fi

say "1000 messages"
before=$(value_of request_code.send_message_v2)
[[ $(tools sh tools.sh org.apache.rocketmq.example.quickstart.Producer | grep -c SEND_OK) == 1000 ]] || die "not all were sent"

say "Envoy counted them"
until_ok 10 above request_code.send_message_v2 $((before + 999))
for quiet in request_decoding_error route_address_uncovered panic; do
  [[ $(value_of "$quiet") == 0 ]] || die "rocketmq.sandbox.$quiet is $(value_of "$quiet")"
done

say "Prometheus has them"
query='envoy_rocketmq_request_code{rocketmq_prefix="sandbox",rocketmq_request_code="send_message_v2"}>0'
prometheus_has_them() {
  curl --fail --silent --max-time 5 --get --data-urlencode "query=$query" "$prometheus/api/v1/query" | grep -q '"value":'
}
until_ok 30 prometheus_has_them

say "Grafana has the dashboard"
until_ok 30 curl --fail --silent --max-time 5 "$grafana/api/dashboards/uid/rocketmq-envoy"

say "all good"
