# SPDX-License-Identifier: Apache-2.0
SHELL := /bin/bash

# Options of a target are variables, each a flag of the program behind it: `make run DURATION=20s ENVOY_VERSION=1.39.3` runs
# out/bin/run -duration=20s -envoy-version=1.39.3, and QUICK=0 is -quick=0. The programs read no such variable of the environment
# themselves, but ENVOY_VERSION, which any target takes. ARGS is for what has no variable here: `make run ARGS='-keep -size 4096'`.
flags = $(foreach name,$(1),$(if $($(name)),-$(shell tr A-Z_ a-z- <<<'$(name)')='$($(name))')) $(ARGS)

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
run: build ## RocketMQ, Envoy, a producer and two consumers until Ctrl-C (DURATION=20s MODE=unified|per-broker RATE=500 CONCURRENCY=2 ENVOY_VERSION=)
	go build -o out/bin/run ./test/run
	exec out/bin/run $(call flags,DURATION MODE RATE CONCURRENCY ENVOY_VERSION)

.PHONY: test
test: ## Every test, with real RocketMQ, Envoy and clients; ends with "N passed, N failed" (CHECK=1: make check as well; RUN=REGEXP)
	go build -o out/bin/runall ./test/runall
	exec out/bin/runall $(call flags,CHECK RUN)

.PHONY: unit
unit: ## The tests that need neither RocketMQ nor Envoy
	go build -o out/bin/runall ./test/runall
	exec out/bin/runall -skip-integration $(ARGS)

.PHONY: fuzz
fuzz: ## Fuzz each target for FUZZTIME (30s), or STORM times (STORM=100000000), or one (TARGET=FuzzHeader)
	build/fuzz.sh $(call flags,FUZZTIME STORM TARGET)

.PHONY: bench
bench: build ## Measure beside tcp_proxy and RocketMQ Proxy, into out/bench/ and docs/PERFORMANCE.md (QUICK=1: 3 minutes; FULL=1 FORCE=1 PARTS=synthetic,real,scale,micro)
	go build -o out/bin/bench ./test/bench
	exec out/bin/bench $(call flags,QUICK FULL FORCE PARTS CONCURRENCY ENVOY_VERSION)

.PHONY: bench-micro
bench-micro: ## The micro-benchmarks of the Go packages and of the module's queues (BENCHTIME=200ms)
	build/bench_micro.sh $(call flags,BENCHTIME) out

.PHONY: bench-compare
bench-compare: ## The micro-benchmarks of BASE (a revision) and of what is here, in turns (COUNT=6 PACKAGES=… SYNTHETIC=1)
	build/bench_compare.sh $(call flags,BASE COUNT PACKAGES SYNTHETIC)

.PHONY: soak
soak: build ## A long run under a load that rises and falls, for leaks, into out/soak (DURATION=10m RATE=10 ENVOY_VERSION=)
	go build -o out/bin/soak ./test/soak
	exec out/bin/soak $(call flags,DURATION RATE ENVOY_VERSION)

.PHONY: chaos
chaos: build ## One fault after the other under real clients; times into out/chaos (QUICK=1 for less than five minutes, SEED=1 ENVOY_VERSION=)
	go build -o out/bin/chaos ./test/chaos
	exec out/bin/chaos $(call flags,QUICK SEED ENVOY_VERSION)

.PHONY: interop
interop: build ## Features × client versions × modes with real clients, into docs/COMPATIBILITY.md
	go build -o out/bin/interop ./test/interop
	exec out/bin/interop $(ARGS)

.PHONY: capture
capture: ## Record the golden bytes from real clients again
	test/capture/record.sh

.PHONY: docs-test
docs-test: build ## The commands in the docs, beside a real RocketMQ (part of make test)
	go test -count=1 -tags integration ./test/docs

.PHONY: dashboard
dashboard: build ## Draw the dashboard's panels from two minutes of traffic, into docs/dashboard.svg
	go build -o out/bin/run ./test/run
	build/dashboard/draw.sh

.PHONY: dist
dist: ## What is released, for amd64 and arm64, with checksums, SBOMs and licences, into out/dist/ (ARGS=amd64: that one)
	build/dist.sh $(ARGS)

.PHONY: dist-check
dist-check: ## Build dist twice in different folders, compare the bytes, and have an Envoy load them (ARGS=amd64: that one)
	build/dist_check.sh $(ARGS)

.PHONY: generate
generate: ## Write the generated files: api/v1/*.pb.go, docs/STATS.md, docs/LIMITS.md, docs/REQUEST_CODES.md, docs/CONFIGURATION.md, envoy-config/contrib/
	go generate ./api/...
	go run ./build/docgen
	go run ./build/contribgen

.PHONY: check
check: ## Format, vet, lint, known vulnerabilities, cgo-free build, C++ format, generated files, tidy
	build/check.sh
