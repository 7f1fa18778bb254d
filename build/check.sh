#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything about the source that can be checked without running it. `make check`. Shows what a check prints where it fails;
# ends with "N passed, N failed".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source build/tools.sh

passed=0 failed=0
not_checked=77 # exit status of a check that cannot be done here, which neither passes nor fails

# check TITLE COMMAND...
check() {
  local title=$1 output status=0 begin=$SECONDS
  shift
  printf '== %s' "$title"
  output=$("$@" 2>&1) || status=$?
  printf ' (%d s)\n' $((SECONDS - begin))
  case $status in
    0) passed=$((passed + 1)) ;;
    "$not_checked") printf '%s\n   NOT CHECKED: %s\n' "$output" "$title" ;;
    *)
      printf '%s\n   FAILED: %s\n' "$output" "$title"
      failed=$((failed + 1))
      ;;
  esac
}

# The shell does not end at an error within functions that check calls: they return it themselves.

formatted() {
  local files
  files=$(gofmt -l api cmd codec filter test build) || return
  [[ -z $files ]] || { echo "not formatted: $files"; return 1; }
}

without_cgo() { build/core.sh | CGO_ENABLED=0 xargs go build; }

linted() {
  local linter
  linter=$(go_tool github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0) && "$linter" run --allow-parallel-runners --build-tags integration ./...
}

vulnerabilities() {
  local scanner report
  scanner=$(go_tool golang.org/x/vuln/cmd/govulncheck@v1.9.0) || return
  report=$("$scanner" ./... 2>&1) && return
  echo "$report"
  [[ $report != *"fetching vulnerabilities"* ]] && return 1
  echo "The database of vulnerabilities cannot be reached; GOVULNDB can name another."
  return "$not_checked"
}

cpp_formatted() {
  local formatter
  formatter=$(pip_tool clang-format==23.1.5 clang-format) &&
    PYTHONPATH=${formatter%/bin/*} "$formatter" --dry-run -Werror --style=file:filter/host/module/.clang-format \
      filter/host/module/{,test/,bench/}*.cc filter/host/module/{,test/}*.h filter/host/stock/*.h test/contribhost/{,test/,test/broker/}*.cc test/contribhost/{,test/}*.h
}

sums() {
  cksum api/v1/*.pb.go README.md docs/{STATS,LIMITS,REQUEST_CODES,CONFIGURATION,UPGRADING}.md docs/guides/*.md envoy-config/contrib/* \
    build/container/Dockerfile build/compose/compose.yaml build/kubernetes/deployment.yaml
}

# generated: what make generate writes is what the tree has.
generated() {
  local before
  before=$(sums)
  make --silent generate || return
  diff <(echo "$before") <(sums) || { echo "run make generate and commit"; return 1; }
}

check "gofmt" formatted
check "go vet" go vet ./...
check "go vet of the integration tests" go vet -tags integration ./test/...
check "go vet of build/dashboard" go -C build/dashboard vet .
check "the core builds without cgo" without_cgo
check "golangci-lint" linted
check "govulncheck" vulnerabilities
check "clang-format" cpp_formatted
check "generated files are fresh" generated
check "Dockerfiles and scripts" build/container/lint.sh
check "schemas of Kubernetes" go -C test/recipes/schema test ./...
for module in . build/protogen build/dashboard test/recipes/schema; do
  check "go.mod of $module is tidy" go -C "$module" mod tidy -diff
done
echo "$passed passed, $failed failed"
((failed == 0))
