// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/process"
)

// baseID tells the shared memory of this World's Envoys from others'.
func (w *World) baseID() int { return w.ports[exampleAdmin] }

// HotRestartEnvoy starts another Envoy beside the running one, as an upgrade does: it takes over the listeners, and the
// one before drains its connections and ends. It returns when the new one is ready; the old one is returned. Only
// with Options.HotRestart.
func (w *World) HotRestartEnvoy(ctx context.Context) (old *process.Process, err error) {
	old = w.Envoy()
	if !w.opt.HotRestart || old == nil || !old.Running() {
		return nil, errors.New("there is no Envoy that can be restarted so")
	}
	w.epoch++
	return old, w.launchEnvoy(ctx)
}

// removeSharedMemory removes what Envoys that can be restarted leave in /dev/shm.
func (w *World) removeSharedMemory() error {
	if !w.opt.HotRestart {
		return nil
	}
	// Envoy multiplies the number that it is given by ten.
	err := os.Remove(filepath.Join("/dev/shm", fmt.Sprintf("envoy_shared_memory_%d0", w.baseID())))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
