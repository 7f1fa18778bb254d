// SPDX-License-Identifier: Apache-2.0

package stub

import (
	"context"
	"testing"
)

// Start listens, and serves until the end of a test.
func Start(t testing.TB, options Options) *Server {
	t.Helper()
	server, err := Listen(options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- server.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return server
}
