#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything about the source that can be checked without running it. `make check`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

golangci=v2.15.0
clang_format=23.1.5
govulncheck=v1.9.0
cache=${ROCKETMQ_PROXY_CACHE:-$PWD/.cache}
failed=0
step() { printf '== %s\n' "$1"; }
fail() { printf '   FAILED: %s\n' "$1"; failed=1; }

step "gofmt"
unformatted=$(gofmt -l api cmd codec filter test build)
[ -z "$unformatted" ] || fail "not formatted: $unformatted"

step "go vet"
go vet ./... || fail "go vet"
go vet -tags integration ./test/... || fail "go vet of the integration tests"
go -C build/dashboard vet . || fail "go vet of build/dashboard"

step "the core builds without cgo"
build/core.sh | CGO_ENABLED=0 xargs go build || fail "cgo-free build"

step "golangci-lint $golangci"
linter=$cache/golangci-lint/$golangci/golangci-lint
if [ ! -x "$linter" ]; then
  GOBIN=$(dirname "$linter") go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$golangci"
fi
"$linter" run --build-tags integration ./... || fail "golangci-lint"

step "govulncheck $govulncheck"
scanner=$cache/govulncheck/$govulncheck/govulncheck
if [ ! -x "$scanner" ]; then
  GOBIN=$(dirname "$scanner") go install "golang.org/x/vuln/cmd/govulncheck@$govulncheck"
fi
if ! report=$("$scanner" ./... 2>&1); then
  if [[ $report == *"fetching vulnerabilities"* ]]; then
    printf '   NOT CHECKED: the database of vulnerabilities cannot be reached; GOVULNDB can name another.\n   %s\n' "$report"
  else
    printf '%s\n' "$report"
    fail "govulncheck"
  fi
fi

step "clang-format $clang_format"
formatter=$cache/clang-format/$clang_format
if [ ! -x "$formatter/bin/clang-format" ]; then
  python3 -m pip install --quiet --target "$formatter" "clang-format==$clang_format"
fi
PYTHONPATH=$formatter "$formatter/bin/clang-format" --dry-run -Werror --style=file:filter/host/module/.clang-format \
  filter/host/module/*.cc filter/host/module/*.h filter/host/module/test/*.cc filter/host/module/test/*.h filter/host/module/bench/*.cc \
  filter/host/stock/*.h test/contribhost/*.cc test/contribhost/*.h || fail "C++ is not formatted"

step "generated files are fresh"
generated=(api/v1/*.pb.go docs/STATS.md docs/LIMITS.md docs/REQUEST_CODES.md docs/CONFIGURATION.md)
before=$(cksum "${generated[@]}")
make --silent generate
[ "$before" = "$(cksum "${generated[@]}")" ] || fail "run make generate and commit"

step "recipes for containers and Kubernetes"
build/container/lint.sh || fail "build/container/lint.sh"
go -C test/recipes/schema test ./... || fail "go -C test/recipes/schema test ./..."

step "go.mod is tidy"
go mod tidy -diff || fail "go mod tidy"
go -C build/protogen mod tidy -diff || fail "go mod tidy in build/protogen"
go -C build/dashboard mod tidy -diff || fail "go mod tidy in build/dashboard"
go -C test/recipes/schema mod tidy -diff || fail "go mod tidy in test/recipes/schema"

[ "$failed" = 0 ] && echo "all good"
exit "$failed"
