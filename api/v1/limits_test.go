// SPDX-License-Identifier: Apache-2.0

package apiv1

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
)

func TestEveryLimitAndDeadlineIsInTheTable(t *testing.T) {
	var fields []string
	for _, group := range []protoreflect.ProtoMessage{&Limits{}, &Timeouts{}} {
		descriptor := group.ProtoReflect().Descriptor()
		for i := range descriptor.Fields().Len() {
			fields = append(fields, strings.ToLower(string(descriptor.Name()))+"."+string(descriptor.Fields().Get(i).Name()))
		}
	}
	seen := map[any]string{}
	config := &Config{}
	inTable := map[string]bool{}
	for i := range LimitTable {
		l := &LimitTable[i]
		inTable[l.Option] = true
		if l.Bounds == "" || l.Beyond == "" || len(l.Stats) == 0 || l.Least > l.Default || l.Default > l.Most {
			t.Errorf("%s is %+v", l.Option, l)
		}
		if other := seen[l.resolved(config)]; other != "" {
			t.Errorf("%s is resolved into the same as %s", l.Option, other)
		}
		seen[l.resolved(config)] = l.Option
	}
	for _, field := range fields {
		if !inTable[field] {
			t.Errorf("%s is not in LimitTable", field)
		}
	}
	if len(fields) != len(LimitTable) {
		t.Errorf("%d fields, %d rows", len(fields), len(LimitTable))
	}
}

// resolveWith resolves a config with one option set.
func resolveWith(t *testing.T, option, value string) (*Config, error) {
	t.Helper()
	group, name, _ := strings.Cut(option, ".")
	// The greatest frame has room beside another: what memory there must be depends on it.
	room := ""
	if option == "limits.max_session_bytes" || option == "limits.max_total_bytes" {
		room = `"max_frame_bytes":29,`
	}
	if option == "limits.max_total_bytes" {
		room += `"max_session_bytes":65536,"max_source_percent":100,`
	}
	return resolveText(t, fmt.Sprintf(`{"rocketmq_proxy":{"stat_prefix":"demo"},"clusters":[{"name":"c","name_servers":["ns:9876"]}],
		"addressing":{"unified":{}},%q:{%s%q:%s}}`, group, room, name, value))
}

func TestEveryLimitHasBoundsAndANamedError(t *testing.T) {
	for i := range LimitTable {
		l := &LimitTable[i]
		text := func(n int64) string {
			if l.IsDeadline() {
				return fmt.Sprintf(`"%.9fs"`, time.Duration(n).Seconds())
			}
			return fmt.Sprint(n)
		}
		for _, n := range []int64{l.Least, l.Most} {
			config, err := resolveWith(t, l.Option, text(n))
			if err != nil {
				t.Errorf("%s of %d: %v", l.Option, n, err)
				continue
			}
			switch got := l.resolved(config).(type) {
			case *int:
				if int64(*got) != n {
					t.Errorf("%s of %d has become %d", l.Option, n, *got)
				}
			case *time.Duration:
				if int64(*got) != n {
					t.Errorf("%s of %d has become %d", l.Option, n, *got)
				}
			}
		}
		for _, n := range []int64{l.Least - 1, l.Most + 1} {
			if n < 0 || n > 1<<32-1 && !l.IsDeadline() && l.Option != "limits.max_total_bytes" {
				continue // not a value of the field's type
			}
			want := fmt.Sprintf("%s is %d; want %d to %d", l.Option, n, l.Least, l.Most)
			if l.IsDeadline() {
				want = fmt.Sprintf("%s is %v; want %v to %v", l.Option, time.Duration(n), time.Duration(l.Least), time.Duration(l.Most))
			}
			if _, err := resolveWith(t, l.Option, text(n)); err == nil || err.Error() != want {
				t.Errorf("%s of %d: got %v, want %q", l.Option, n, err, want)
			}
		}
	}
}

func TestMemoryHasRoomForFrames(t *testing.T) {
	config, err := resolveWith(t, "limits.max_frame_bytes", "1073741824")
	if err != nil || config.Limits.MaxSessionBytes != 4<<30 || config.Limits.MaxTotalBytes != 16<<30 {
		t.Errorf("got %+v, %v; want memory that follows from the frame", config, err)
	}
	_, err = resolveText(t, `{"rocketmq_proxy":{"stat_prefix":"demo"},"clusters":[{"name":"c","name_servers":["ns:9876"]}],
		"addressing":{"unified":{}},"limits":{"max_session_bytes":20000000,"max_total_bytes":"10000000"}}`)
	want := "limits.max_session_bytes is 20000000; want at least 33554432, twice max_frame_bytes\n" +
		"limits.max_total_bytes is 10000000; want at least 40000000, of which max_source_percent is max_session_bytes"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
}
