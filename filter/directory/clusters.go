// SPDX-License-Identifier: Apache-2.0

package directory

// Clusters are the RocketMQ clusters behind one filter. All methods may be called from any thread.
type Clusters struct {
	all []*Directory
	of  func(topic string) int
}

// NewClusters combines clusters; `of` gives the place among them of the one that has a topic. It is not
// called when there is only one.
func NewClusters(of func(topic string) int, all ...*Directory) *Clusters {
	return &Clusters{all: all, of: of}
}

// All are the clusters in their configured order. It must not be changed.
func (c *Clusters) All() []*Directory { return c.all }

// First is the cluster of whatever belongs to none in particular.
func (c *Clusters) First() *Directory { return c.all[0] }

// Of is the one cluster that has a topic.
func (c *Clusters) Of(topic string) *Directory {
	if len(c.all) == 1 {
		return c.all[0]
	}
	return c.all[c.of(topic)]
}

// Asked tells whether each cluster has been asked once: what can be known at the start is known.
func (c *Clusters) Asked() bool {
	for _, d := range c.all {
		if !d.Asked() {
			return false
		}
	}
	return true
}

// Await has `wake` called after the next refresh of each cluster, whatever its outcome; Forget takes
// that back.
func (c *Clusters) Await(wake *func()) {
	for _, d := range c.all {
		d.Await(wake)
	}
}

// Forget removes what Await registered.
func (c *Clusters) Forget(wake *func()) {
	for _, d := range c.all {
		d.Forget(wake)
	}
}

// RefreshSoon asks for a refresh of each cluster.
func (c *Clusters) RefreshSoon() {
	for _, d := range c.all {
		d.RefreshSoon()
	}
}
