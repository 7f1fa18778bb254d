// SPDX-License-Identifier: Apache-2.0

package process

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func sh(t *testing.T, script string) *Process {
	t.Helper()
	p, err := Start(Command{Name: "child", LogFile: filepath.Join(t.TempDir(), "log"), Argv: []string{"sh", "-c", script}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

func TestWaitStopsTheChildWhenTheContextEnds(t *testing.T) {
	p := sh(t, "exec sleep 60")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Wait(ctx); !errors.Is(err, context.Canceled) || p.Running() {
		t.Errorf("got %v, running: %v", err, p.Running())
	}
}

func TestWaitShowsTheLogOfAChildThatFails(t *testing.T) {
	p := sh(t, "echo it went wrong >&2; exit 3")
	if err := p.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), "it went wrong") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("got %v", err)
	}
	if p.Killed() {
		t.Error("it counts as killed")
	}
}

func TestAwaitEndsWithTheChild(t *testing.T) {
	p := sh(t, "echo no more >&2; exit 3")
	begin := time.Now()
	err := Await(t.Context(), p, "it serves", func() (bool, error) { return false, errors.New("not yet") })
	for _, part := range []string{"it serves", "exit status 3", "not yet", "no more"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("got %v, want %q in it", err, part)
		}
	}
	if time.Since(begin) > 10*time.Second {
		t.Errorf("only after %v", time.Since(begin))
	}
}
