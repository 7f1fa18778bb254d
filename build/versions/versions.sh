# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by what needs versions.txt, with $root set.

# newest PRODUCT: the release that is the default.
newest() { awk -v product="$1" '$1 == product { print $2; exit }' "${root:?}/build/versions/versions.txt"; }

# envoy_digests VERSION: of the wheels for both platforms; pip takes whichever fits. Nothing for a version that the file lacks.
envoy_digests() { awk -v version="$1" '$1 == "envoy" && $2 == version { print $3, $4 }' "${root:?}/build/versions/versions.txt"; }
