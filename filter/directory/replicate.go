// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
)

// maxCopying bounds, in bytes, the changes that are on their way to name servers, each of which takes copyCost beside its
// frame. A single one may be larger.
const (
	maxCopying = 32 << 20
	copyCost   = 64 << 10
)

var errTooManyCopies = errors.New("too many changes are on their way to name servers")

// Replicate gives a client's change of name-server data to every name server, in the background and in
// addition to the one that the client's connection leads to: that one gets it twice, which does no harm
// as such requests set a state. `failed` is called for each name server that did not take it, or once if too much
// is under way already. `frame` is borrowed. It does nothing where there is only one.
func (d *Directory) Replicate(frame []byte, failed func(error)) {
	servers := d.Snapshot().NameServers()
	if len(servers) < 2 {
		return
	}
	cost := int64(len(frame)) + copyCost
	if underWay := d.copying.Add(cost); underWay > maxCopying && underWay > cost {
		d.copying.Add(-cost)
		failed(errTooManyCopies)
		return
	}
	frame = bytes.Clone(frame)
	go func() {
		defer d.copying.Add(-cost)
		for _, address := range servers {
			ctx, cancel := context.WithTimeout(context.Background(), nameServerTimeout)
			if err := d.send(ctx, address, frame); err != nil {
				failed(err)
			}
			cancel()
		}
	}()
}

// send gives one name server a request. A fault is a failure like others: the answer may be behind it.
func (d *Directory) send(ctx context.Context, address string, frame []byte) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("fault: %v", fault)
		}
	}()
	return d.source.Send(ctx, address, frame)
}
