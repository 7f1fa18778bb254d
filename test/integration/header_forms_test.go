// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/build/versions"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// headerForm is a line of codec/testdata/header-forms.txt.
type headerForm struct{ header, theirs, ours string }

// closed reports whether the filter closes the connection of the form.
func (f headerForm) closed() bool { return f.ours != "read" }

// frame is the whole request.
func (f headerForm) frame() []byte {
	header, mark := []byte(f.header), uint32(len(f.header))
	if b, err := hex.DecodeString(f.header); err == nil {
		header, mark = b, 1<<24|uint32(len(b))
	}
	frame := binary.BigEndian.AppendUint32(nil, uint32(4+len(header)))
	return append(binary.BigEndian.AppendUint32(frame, mark), header...)
}

func headerForms(t *testing.T) (forms []headerForm) {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "codec", "testdata", "header-forms.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); len(columns) == 3 {
			forms = append(forms, headerForm{columns[0], columns[1], columns[2]})
		}
	}
	return forms
}

// TestHeaderForms puts the forms of a header that the codec's tests have to the decoders of all releases, to a name server,
// and to the same name server through Envoy.
func TestHeaderForms(t *testing.T) {
	forms := headerForms(t)
	x := install(t, world.Options{Mode: world.SideBySide})
	t.Run("what each release reads", func(t *testing.T) {
		readings := map[string][]string{}
		for _, version := range versions.RocketMQ {
			if readings[version] = x.readings(t, version, forms); len(readings[version]) != len(forms) {
				t.Fatalf("RocketMQ %s has read %d of %d forms", version, len(readings[version]), len(forms))
			}
		}
		for i, form := range forms {
			got := readings[versions.RocketMQ[0]][i]
			for _, version := range versions.RocketMQ[1:] {
				if readings[version][i] != got {
					got = "differs"
				}
			}
			if got != form.theirs {
				t.Errorf("%s\n got %s\nwant %s", form.header, got, form.theirs)
			}
		}
	})
	t.Run("what a name server answers", func(t *testing.T) {
		for _, form := range forms {
			if got, want := answered(t, x.NameServer, form), form.theirs != "refused"; got != want && form.theirs != "differs" {
				t.Errorf("%s: answered %v, want %v", form.header, got, want)
			}
		}
	})
	for _, way := range x.ProxiedWays() {
		t.Run("through "+way.Name, func(t *testing.T) {
			x := x.by(t, way)
			for _, form := range forms {
				if got := answered(t, x.nameServer, form); got == form.closed() {
					t.Errorf("%s: answered %v, want %v", form.header, got, !got)
				}
			}
			x.idle()
		})
	}
}

// answered sends a request and reports whether there is an answer; otherwise its connection is closed.
func answered(t *testing.T, address string, form headerForm) bool {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(form.frame()); err != nil {
		t.Fatal(err)
	}
	prefix := make([]byte, codec.PrefixSize)
	n, err := c.Read(prefix)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%s: neither an answer nor the end", form.header)
	}
	return n > 0
}

// readings asks the decoder of a release.
func (x *installation) readings(t *testing.T, version string, forms []headerForm) (readings []string) {
	t.Helper()
	if err := repo.Fetch(t.Context(), "", "rocketmq-"+version); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var headers strings.Builder
	for _, form := range forms {
		headers.WriteString(form.header + "\n")
	}
	out, err := x.RunJava(ctx, version, "workload.HeaderForms", headers.String())
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out) {
		if reading, ok := strings.CutPrefix(line, "form "); ok {
			readings = append(readings, strings.TrimSuffix(reading, "\n"))
		}
	}
	return readings
}
