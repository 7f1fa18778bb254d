// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"os"
	"testing"
	"time"
)

func TestWorkIsSeen(t *testing.T) {
	before, err := Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	machine, err := Machine()
	if err != nil {
		t.Fatal(err)
	}
	const work = 60 * time.Millisecond
	var used Usage
	for end := time.Now().Add(20 * time.Second); used.CPU < work && time.Now().Before(end); {
		for range 1_000_000 {
		}
		after, err := Of(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		used = after.Since(before)
	}
	if used.CPU < work || used.RSS < 1<<20 || used.Delay < 0 {
		t.Errorf("used %+v", used)
	}
	if later, err := Machine(); err != nil || later-machine < work/2 {
		t.Errorf("the machine was busy for %v, %v; we alone for %v", later-machine, err, used.CPU)
	}
}

func TestAProcessThatIsGoneIsAnError(t *testing.T) {
	if _, err := Of(1 << 30); err == nil {
		t.Error("no error")
	}
}

func TestLoadAverage(t *testing.T) {
	if load, err := LoadAverage(); err != nil || load < 0 {
		t.Error(load, err)
	}
}
