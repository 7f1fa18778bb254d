// SPDX-License-Identifier: Apache-2.0

package directory

import "sync"

// maxRefusals and maxRefusalText bound what is remembered of refused addresses.
const (
	maxRefusals    = 256
	maxRefusalText = 512
)

// refusal is an address to which nothing is sent, and what would be there.
type refusal struct{ kind, name, address string }

// refusals are those that have been reported. The zero value is empty.
type refusals struct {
	mu  sync.Mutex
	all map[refusal]struct{}
}

// FirstRefusal reports whether an address to which nothing is sent is new, and notes it. Beyond the first maxRefusals none
// is.
func (d *Directory) FirstRefusal(kind, name, address string) bool {
	r := refusal{kind, name[:min(len(name), maxRefusalText)], address[:min(len(address), maxRefusalText)]}
	d.refusals.mu.Lock()
	defer d.refusals.mu.Unlock()
	if _, known := d.refusals.all[r]; known || len(d.refusals.all) >= maxRefusals {
		return false
	}
	if d.refusals.all == nil {
		d.refusals.all = make(map[refusal]struct{})
	}
	d.refusals.all[r] = struct{}{}
	return true
}
