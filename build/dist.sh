#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds what is released, into out/dist/: for each architecture a tarball with both libraries, rocketmq-proxyctl, examples, docs
# and licences, and an SBOM (CycloneDX); and SHA256SUMS. The same commit gives the same bytes, whatever the machine and the folder
# (build/dist_check.sh). Usage: build/dist.sh [amd64|arm64]... (default: both)
#
# The libraries ask for glibc 2.17 or later and are the same for every Envoy from 1.38 on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

glibc=2.17
texts=(docs envoy-config build/grafana build/prometheus 'build/kubernetes/*.yaml')
source build/tools.sh
out=$PWD/out/dist
say() { printf 'dist: %s\n' "$*" >&2; }

architectures=("$@")
((${#architectures[@]})) || architectures=(amd64 arm64)
git rev-parse --git-dir >/dev/null 2>&1 || { say "not a git repository: the version comes from the commit"; exit 1; }
time=$(git log -1 --format=%ct)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$out"
mkdir -p "$out"

sbom=$(go_tool github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0)

# licences DIR: the licences of all that is linked in: Go, its modules, Envoy's header, and the C++ runtime that Zig brings.
licences() {
  local path dir file
  mkdir -p "$1"
  cp "$(go env GOROOT)/LICENSE" "$1/go.txt"
  cp "$cache"/zig/*/ziglang/lib/libcxx/LICENSE.TXT "$1/llvm.txt"
  go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}' ./filter/main ./cmd/rocketmq-proxyctl |
    sort -u | while read -r path dir; do
      # A module of a larger repository may leave its licence at that repository's root.
      for file in "$dir"/LICENSE* "$dir"/NOTICE*; do
        [[ -f $file ]] || continue
        mkdir -p "$1/$path"
        cp "$file" "$1/$path/"
      done
      [[ -d $1/$path ]] || say "$path has no licence file of its own: its repository's is Apache-2.0"
    done
}

for architecture in "${architectures[@]}"; do
  case $architecture in
    amd64) target=x86_64-linux-gnu.$glibc ;;
    arm64) target=aarch64-linux-gnu.$glibc ;;
    *) say "unknown architecture $architecture: want amd64 or arm64"; exit 2 ;;
  esac
  say "$architecture"
  stage=$work/$architecture
  mkdir -p "$stage"
  export GOOS=linux GOARCH=$architecture GOFLAGS=-buildvcs=true CGO_CFLAGS=-O2
  CC="$PWD/build/zig.sh cc $target" build/plugin.sh "$stage"
  CXX="$PWD/build/zig.sh c++ $target" build/module.sh "$stage"
  CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$stage/rocketmq-proxyctl" ./cmd/rocketmq-proxyctl
  chmod 755 "$stage"/*.so
  build/container/glibc.sh "$stage" "$glibc"
  version=$(go version -m "$stage/librocketmq_proxy.so" | awk '$1 == "mod" { print $3 }')
  "$sbom" app -json -noserial -notimestamp -licenses -std -main filter/main -output "$out/envoy-rocketmq-proxy-$version-linux-$architecture.cdx.json" . 2>/dev/null
  cp LICENSE NOTICE CHANGELOG.md "$stage/"
  cp build/dist.md "$stage/README.md"
  # What the commit has, and nothing that lies about beside it.
  git archive HEAD -- "${texts[@]}" ':(exclude)*_test.go' | tar --extract --directory "$stage"
  licences "$stage/licenses"
  name=envoy-rocketmq-proxy-$version-linux-$architecture
  mv "$stage" "$work/$name"
  # GNU tar; modes must not depend on the umask.
  tar --create --directory "$work" --sort=name --mtime="@$time" --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw,a-s \
    "$name" | gzip --no-name -9 >"$out/$name.tar.gz"
done
(cd "$out" && sha256sum -- * >SHA256SUMS)
say "out/dist has $version"
