// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"fmt"
)

// Replicate gives a client's change of name-server data to every name server, in the background and in
// addition to the one that the client's connection leads to: that one gets it twice, which does no harm
// as such requests set a state. `failed` is called for each name server that did not take it. `frame` is
// kept. It does nothing where there is only one.
func (d *Directory) Replicate(frame []byte, failed func(error)) {
	servers := d.Snapshot().NameServers()
	if len(servers) < 2 {
		return
	}
	go func() {
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
