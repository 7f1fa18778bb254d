#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Records golden frames from real RocketMQ programs into codec/testdata. See README.md.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${CAPTURE_WORK:-$(mktemp -d)}
out=${CAPTURE_OUT:-$root/codec/testdata}
server=5.3.3
codes=5.5.1 # whose constants are listed: the newest
clients=${CAPTURE_CLIENTS:-"5.3.3 4.9.8"}
types=${CAPTURE_TYPES:-"JSON ROCKETMQ"}
base=${CAPTURE_PORT:-32000} # name server, recorder, broker and their neighbours: base to base+99

jars() { # jars VERSION FOLDER [MAVEN ARGUMENT]
	[ -d "$2" ] || mvn -q -B -f "$here/java/pom.xml" -Drocketmq.version="$1" "${@:3}" dependency:copy-dependencies -DoutputDirectory="$2"
}

pids=()
stop() {
	for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done
	for p in "${pids[@]}"; do wait "$p" 2>/dev/null || true; done
	pids=()
}
trap stop EXIT

await() { # await PORT
	for _ in $(seq 300); do
		(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
		sleep 0.1
	done
	echo "nothing listens on $1" >&2
	return 1
}

run() { # run CLIENT TYPE
	local client=$1 type=$2 lower archive add=() ns=$((base + 1)) broker=$((base + 21)) nsHere=$base brokerHere=$((base + 11)) data
	lower=$(echo "$type" | tr '[:upper:]' '[:lower:]')
	archive=$out/java-$client-$lower.txtar
	data=$work/run-$client-$lower
	rm -rf "$data" "$archive"
	mkdir -p "$data/home/conf"
	if [ "$type" = JSON ]; then
		java -Duser.home="$data/client" -cp "$work/classes-$client:$work/client-$client/*" Escapes "$data/escapes" >/dev/null
		add=(-add "ESCAPES.response.SYSTEM_ERROR=$data/escapes")
	fi
	export ROCKETMQ_HOME=$data/home
	cat >"$data/namesrv.properties" <<-END
		listenPort=$ns
		bindAddress=127.0.0.1
		kvConfigPath=$data/kv.json
		configStorePath=$data/namesrv.store
	END
	cat >"$data/broker.properties" <<-END
		brokerClusterName=capture
		brokerName=broker-a
		brokerId=0
		brokerIP1=127.0.0.1
		listenPort=$broker
		haListenPort=$((broker + 1))
		bindAddress=127.0.0.1
		namesrvAddr=127.0.0.1:$ns
		storePathRootDir=$data/store
		storePathCommitLog=$data/store/commitlog
		mappedFileSizeCommitLog=67108864
		mappedFileSizeConsumeQueue=600000
		autoCreateTopicEnable=true
		autoCreateSubscriptionGroup=true
		diskMaxUsedSpaceRatio=98
		transactionCheckInterval=3000
		transactionTimeOut=2000
		recallMessageEnable=true
		messageDelayLevel=1s 2s 3s 4s 5s 6s 7s 8s 9s 10s
	END
	local flags=(-XX:+UseSerialGC -Drocketmq.serialize.type="$type")
	java -Xmx256m "${flags[@]}" -Duser.home="$data/ns" -cp "$work/server/*" org.apache.rocketmq.namesrv.NamesrvStartup -c "$data/namesrv.properties" >"$data/namesrv.log" 2>&1 &
	pids+=($!)
	await "$ns"
	java -Xmx768m "${flags[@]}" -Duser.home="$data/broker" -cp "$work/server/*" org.apache.rocketmq.broker.BrokerStartup -c "$data/broker.properties" >"$data/broker.log" 2>&1 &
	pids+=($!)
	await "$broker"
	"$work/capture" -map "127.0.0.1:$nsHere=127.0.0.1:$ns" -map "127.0.0.1:$brokerHere=127.0.0.1:$broker" -out "$archive" "${add[@]}" \
		-ask "127.0.0.1:$ns/CapTopic" -comment "client $client, server $server, serialization $type" >"$data/capture.log" 2>&1 &
	local recorder=$!
	pids+=("$recorder")
	await "$nsHere"
	java -Xmx256m "${flags[@]}" -Duser.home="$data/client" -cp "$work/classes-$client:$work/client-$client/*" Driver "127.0.0.1:$nsHere" "127.0.0.1:$brokerHere" >"$data/driver.log" 2>&1 ||
		echo "driver failed, see $data/driver.log" >&2
	java -Xmx256m "${flags[@]}" -Dorg.apache.rocketmq.client.sendSmartMsg=false -Duser.home="$data/client" -cp "$work/classes-$client:$work/client-$client/*" Driver "127.0.0.1:$nsHere" "127.0.0.1:$brokerHere" plain >>"$data/driver.log" 2>&1 || true
	grep -E '^(ok|FAIL|checked|replied)' "$data/driver.log" || true
	kill "$recorder"
	wait "$recorder" || true
	stop
	echo "$archive: $(grep -c ' header --$' "$archive") frames"
}

constants() { # constants CLASS FILE: NAME VALUE lines of a Java class of constants
	{
		echo "# $1 of rocketmq-remoting $codes"
		javap -constants -cp "$work/codes/rocketmq-remoting-$codes.jar" "org.apache.rocketmq.remoting.protocol.$1" |
			sed -nE 's/.*static final int ([A-Z0-9_]+) = (-?[0-9]+);/\1 \2/p'
	} >>"$2"
}

mkdir -p "$work" "$out"
jars "$server" "$work/server" -Pserver
mvn -q -B dependency:copy -Dartifact="org.apache.rocketmq:rocketmq-remoting:$codes" -DoutputDirectory="$work/codes"
(cd "$root" && go build -o "$work/capture" ./test/capture)
rm -f "$out/java-request-codes.txt" "$out/java-response-codes.txt"
constants RequestCode "$out/java-request-codes.txt"
constants RemotingSysResponseCode "$out/java-response-codes.txt"
constants ResponseCode "$out/java-response-codes.txt"
for client in $clients; do
	jars "$client" "$work/client-$client"
	javac -nowarn -d "$work/classes-$client" -cp "$work/client-$client/*" "$here"/java/*.java
	for type in $types; do
		run "$client" "$type"
	done
done
