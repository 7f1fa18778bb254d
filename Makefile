# SPDX-License-Identifier: Apache-2.0
SHELL := /bin/bash
export DURATION MODE RATE CONCURRENCY ENVOY_VERSION QUICK FULL FORCE PARTS COUNT PACKAGES SYNTHETIC BENCHTIME

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: build
build: ## Build the plugin and the stock-Envoy host into out/
	build/plugin.sh out
	build/module.sh out

.PHONY: proxyctl
proxyctl: ## Build rocketmq-proxyctl, which checks configs and shows traffic and figures, into out/bin/
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o out/bin/rocketmq-proxyctl ./cmd/rocketmq-proxyctl

.PHONY: run
run: build ## RocketMQ, Envoy, a producer and two consumers until Ctrl-C (DURATION=20s MODE=unified|per-broker RATE=500)
	go build -o out/bin/run ./test/run
	exec out/bin/run

.PHONY: test
test: ## Every test, with real RocketMQ, Envoy and clients; ends with "N passed, N failed"
	go build -o out/bin/runall ./test/runall
	exec out/bin/runall

.PHONY: unit
unit: ## The tests that need neither RocketMQ nor Envoy
	go build -o out/bin/runall ./test/runall
	exec out/bin/runall -skip-integration

.PHONY: fuzz
fuzz: ## Fuzz each target for FUZZTIME (30s), or STORM times (STORM=100000000), or one (TARGET=FuzzHeader)
	build/fuzz.sh $(if $(STORM),storm $(STORM),$(or $(FUZZTIME),30s)) $(TARGET)

.PHONY: bench
bench: build ## Measure beside tcp_proxy and RocketMQ Proxy, into docs/PERFORMANCE.md (QUICK=1: 3 minutes; PARTS=synthetic,real,scale,micro FULL=1)
	go build -o out/bin/bench ./test/bench
	exec out/bin/bench

.PHONY: bench-micro
bench-micro: ## The micro-benchmarks of the Go packages and of the module's queues
	build/bench_micro.sh out

.PHONY: bench-compare
bench-compare: ## The micro-benchmarks of BASE (a revision) and of what is here, in turns (COUNT=6 PACKAGES=… SYNTHETIC=1)
	build/bench_compare.sh "$(BASE)"

.PHONY: soak
soak: build ## A long run under a load that rises and falls, for leaks, into out/soak (DURATION=10m RATE=10)
	go build -o out/bin/soak ./test/soak
	exec out/bin/soak $(DURATION:%=-duration %) $(RATE:%=-rate %)

.PHONY: chaos
chaos: build ## One fault after the other under real clients; times into out/chaos (QUICK=1 for less than five minutes, SEED=1)
	go build -o out/bin/chaos ./test/chaos
	exec out/bin/chaos $(QUICK:%=-quick) $(SEED:%=-seed %)

.PHONY: interop
interop: build ## Features × client versions × modes with real clients, into docs/COMPATIBILITY.md
	go build -o out/bin/interop ./test/interop
	exec out/bin/interop

.PHONY: capture
capture: ## Record the golden bytes anew from real clients
	test/capture/record.sh

.PHONY: docs-test
docs-test: build ## The commands in the docs, beside a real RocketMQ (part of make test)
	go test -count=1 -tags integration ./test/docs

.PHONY: dashboard
dashboard: build ## Draw the dashboard's panels anew from two minutes of traffic, into docs/dashboard.svg
	go build -o out/bin/run ./test/run
	build/dashboard/draw.sh

.PHONY: dist
dist: ## What is released, for amd64 and arm64, with checksums, SBOMs and licences, into out/dist/
	build/dist.sh

.PHONY: dist-check
dist-check: ## Build dist twice in different folders, compare the bytes, and have an Envoy load them
	build/dist_check.sh

.PHONY: generate
generate: ## Write generated files anew: api/v1/*.pb.go, docs/STATS.md, docs/LIMITS.md, docs/REQUEST_CODES.md, docs/CONFIGURATION.md
	go generate ./api/...
	go run ./build/docgen

.PHONY: check
check: ## Format, vet, lint, known vulnerabilities, cgo-free build, C++ format, generated files, tidy
	build/check.sh
