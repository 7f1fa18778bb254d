// SPDX-License-Identifier: Apache-2.0

// Package version says what was built.
package version

import "runtime/debug"

// String is the version of this module: a tag as v1.2.0, a pseudo-version with time and commit between tags, with
// "+dirty" where files had been changed. "(devel)" if it was built outside a git repository.
func String() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
