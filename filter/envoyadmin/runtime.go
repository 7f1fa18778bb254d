// SPDX-License-Identifier: Apache-2.0

package envoyadmin

import (
	"strconv"
	"strings"
)

// runtimeEntries is /runtime.
type runtimeEntries struct {
	Entries map[string]struct {
		FinalValue string `json:"final_value"`
	} `json:"entries"`
}

// maintenanceKey is followed by the name of a cluster.
const maintenanceKey = "upstream.maintenance_mode."

// maintenance is the maintenance percentages by cluster. As for Envoy a value that is no whole number
// is none, and more than 100 is 100.
func (r *runtimeEntries) maintenance() map[string]uint32 {
	percents := make(map[string]uint32)
	for key, entry := range r.Entries {
		name, ok := strings.CutPrefix(key, maintenanceKey)
		if !ok {
			continue
		}
		if n, err := strconv.ParseUint(entry.FinalValue, 10, 64); err == nil && n > 0 {
			percents[name] = uint32(min(n, 100))
		}
	}
	return percents
}
