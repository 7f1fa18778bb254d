// SPDX-License-Identifier: Apache-2.0

// Package version says what was built.
package version

import "runtime/debug"

// stamped is what the linker was told (build/plugin.sh), where there is no repository to read the version from.
var stamped string

// String is the version of this module: a tag as v1.2.0, a pseudo-version with time and commit between tags, with
// "+dirty" where files had been changed; or what $ROCKETMQ_PROXY_VERSION said to the build. "(devel)" if it was built outside a git
// repository and told nothing.
func String() string {
	if stamped != "" {
		return stamped
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
