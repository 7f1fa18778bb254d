#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints the packages that build and are tested without cgo: the whole product but its adapters to Envoy.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go list ./api/... ./cmd/... ./codec/... ./filter/... | grep -vE '/filter/(host|main)(/|$)'
