#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fails if a library in DIR asks for a newer C library than VERSION, and says which symbols do.
# Usage: build/container/glibc.sh DIR VERSION
set -euo pipefail

dir=${1:?usage: build/container/glibc.sh DIR VERSION}
version=${2:?usage: build/container/glibc.sh DIR VERSION}
shopt -s nullglob
libraries=("$dir"/*.so)
((${#libraries[@]})) || { echo "glibc.sh: no library in $dir" >&2; exit 1; }
failed=0
for library in "${libraries[@]}"; do
  # An undefined symbol is "… *UND* … (GLIBC_2.34) name"; what stands behind the last "_" is compared.
  newer=$(objdump -T "$library" | awk -v most="$version" '
    /\*UND\*/ && match($0, /GLIBC_[0-9.]+/) {
      wanted = substr($0, RSTART + 6, RLENGTH - 6)
      split(wanted, w, "."); split(most, m, ".")
      for (i = 1; i <= 3; i++) if (w[i] + 0 != m[i] + 0) { if (w[i] + 0 > m[i] + 0) print "  " wanted " " $NF; break }
    }')
  if [[ -n $newer ]]; then
    printf '%s asks for a C library newer than %s:\n%s\n' "$library" "$version" "$newer" >&2
    failed=1
  fi
done
exit "$failed"
