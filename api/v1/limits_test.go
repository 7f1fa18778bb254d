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
		if l.Bounds == "" || l.Excess == "" || len(l.Stats) == 0 || l.Min > l.Default || l.Default > l.Max {
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
		room += `"max_session_bytes":262144,"max_source_percent":100,`
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
		for _, n := range []int64{l.Min, l.Max} {
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
		for _, n := range []int64{l.Min - 1, l.Max + 1} {
			if n < 0 || n > 1<<32-1 && !l.IsDeadline() && l.Option != "limits.max_total_bytes" {
				continue // not a value of the field's type
			}
			want := fmt.Sprintf("%s is %d; want %d to %d", l.Option, n, l.Min, l.Max)
			if l.IsDeadline() {
				want = fmt.Sprintf("%s is %v; want %v to %v", l.Option, time.Duration(n), time.Duration(l.Min), time.Duration(l.Max))
			}
			if _, err := resolveWith(t, l.Option, text(n)); err == nil || err.Error() != want {
				t.Errorf("%s of %d: got %v, want %q", l.Option, n, err, want)
			}
		}
	}
}

func resolveLimits(t *testing.T, limits string) (*Config, error) {
	t.Helper()
	return resolveText(t, `{"rocketmq_proxy":{"stat_prefix":"demo"},"clusters":[{"name":"c","name_servers":["ns:9876"]}],
		"addressing":{"unified":{}},"limits":{`+limits+`}}`)
}

func TestLimitsFollowFromThoseThatAreSet(t *testing.T) {
	for _, c := range []struct {
		limits, option string
		want           int64
	}{
		{`"max_frame_bytes":1073741824`, "limits.max_session_bytes", 3 * (1<<30 + 16<<20)},
		{`"max_frame_bytes":1073741824`, "limits.max_total_bytes", 12 * (1<<30 + 16<<20)},
		{`"max_frame_bytes":1048576`, "limits.max_session_bytes", 96 << 20},
		{`"max_frame_bytes":65536`, "limits.max_header_bytes", 65528},
		{`"max_header_bytes":16777215`, "limits.max_frame_bytes", 16777223},
		{`"max_session_bytes":67108864`, "limits.max_buffered_bytes", 22369621 - 16<<20},
		{`"max_session_bytes":67108864,"max_frame_bytes":8388608`, "limits.max_buffered_bytes", 22369621 - 8<<20},
		{`"max_buffered_bytes":67108864`, "limits.max_session_bytes", 3 * (16<<20 + 64<<20)},
		{`"max_total_bytes":134217728`, "limits.max_session_bytes", 64 << 20},
		{`"max_total_bytes":134217728`, "limits.max_buffered_bytes", 22369621 - 16<<20},
		{`"max_source_percent":100,"max_total_bytes":134217728`, "limits.max_session_bytes", 96 << 20},
		{`"max_source_percent":10,"max_session_bytes":1073741824`, "limits.max_total_bytes", 10 << 30},
		{`"max_total_pending_requests":100`, "limits.max_pending_requests", 50},
		{`"max_total_pending_requests":1`, "limits.max_pending_requests", 1},
		{`"max_pending_requests":1048576`, "limits.max_total_pending_requests", 2 << 20},
	} {
		config, err := resolveLimits(t, c.limits)
		if err != nil {
			t.Errorf("%s: %v", c.limits, err)
			continue
		}
		if got := *limitOf(c.option).resolved(config).(*int); int64(got) != c.want {
			t.Errorf("with %s %s is %d, want %d", c.limits, c.option, got, c.want)
		}
	}
}

func TestLimitsThatContradictEachOtherAreRefused(t *testing.T) {
	for limits, want := range map[string]string{
		`"max_session_bytes":20000000,"max_total_bytes":"10000000"`: "limits.max_session_bytes is 20000000; want at least 50528256, three times max_frame_bytes and max_buffered_bytes together\n" +
			"limits.max_total_bytes is 10000000; want at least 40000000, of which max_source_percent is max_session_bytes",
		`"max_frame_bytes":1000,"max_header_bytes":1000`:                 "limits.max_frame_bytes is 1000; want at least 1008, max_header_bytes and 8 for what is in front",
		`"max_buffered_bytes":67108864,"max_session_bytes":67108864`:     "limits.max_session_bytes is 67108864; want at least 251658240, three times max_frame_bytes and max_buffered_bytes together",
		`"max_pending_requests":8192,"max_total_pending_requests":10000`: "limits.max_total_pending_requests is 10000; want at least 16384, of which max_source_percent is max_pending_requests",
	} {
		if _, err := resolveLimits(t, limits); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %q", limits, err, want)
		}
	}
}

// Whatever two limits are at an end of their bounds: the config is refused for one of the two, or all limits go together.
func TestLimitsGoTogetherAtTheEndsOfTheirBounds(t *testing.T) {
	type setting struct {
		option string
		value  int64
	}
	var settings []setting
	for i := range LimitTable {
		if l := &LimitTable[i]; !l.IsDeadline() {
			settings = append(settings, setting{l.Option, l.Min}, setting{l.Option, l.Default}, setting{l.Option, l.Max})
		}
	}
	text := func(s setting) string {
		_, name, _ := strings.Cut(s.option, ".")
		return fmt.Sprintf("%q:%d", name, s.value)
	}
	resolved := 0
	for i, a := range settings {
		for _, b := range settings[i:] {
			limits := text(a)
			if b.option != a.option {
				limits += "," + text(b)
			}
			config, err := resolveLimits(t, limits)
			if err != nil {
				for line := range strings.Lines(err.Error()) {
					if !strings.HasPrefix(line, a.option+" is ") && !strings.HasPrefix(line, b.option+" is ") {
						t.Errorf("%s is refused for something else: %s", limits, line)
					}
				}
				continue
			}
			resolved++
			wantConsistent(t, limits, config)
		}
	}
	if resolved < len(settings)*len(settings)/3 {
		t.Errorf("only %d of these configs are taken", resolved)
	}
}

func wantConsistent(t *testing.T, limits string, config *Config) {
	t.Helper()
	for i := range LimitTable {
		l := &LimitTable[i]
		if n, is := l.resolved(config).(*int); is && (int64(*n) < l.Min || int64(*n) > l.Max) {
			t.Errorf("%s: %s becomes %d, want %d to %d", limits, l.Option, *n, l.Min, l.Max)
		}
	}
	l := &config.Limits
	ofTotal := func(n int) int { return (n*l.MaxSourcePercent + 99) / 100 }
	for what, ok := range map[string]bool{
		"a header has room in a frame":                             l.MaxHeaderBytes+8 <= l.MaxFrameBytes,
		"a session has room for what is received and what waits":   l.MaxSessionBytes >= 3*(l.MaxFrameBytes+l.MaxBufferedBytes),
		"an address may take a whole session":                      ofTotal(l.MaxTotalBytes) >= l.MaxSessionBytes,
		"an address may have all requests of a connection waiting": ofTotal(l.MaxTotalPendingRequests) >= l.MaxPendingRequests,
		"an address may have a connection":                         ofTotal(l.MaxConnections) >= 1,
	} {
		if !ok {
			t.Errorf("%s: not so: %s: %+v", limits, what, *l)
		}
	}
}

func TestTheDefaultsOfAllLimitsGoTogether(t *testing.T) {
	config, err := resolveLimits(t, "")
	if err != nil {
		t.Fatal(err)
	}
	for i := range LimitTable {
		l := &LimitTable[i]
		if n, is := l.resolved(config).(*int); is && int64(*n) != l.Default {
			t.Errorf("%s is %d, the table says %d", l.Option, *n, l.Default)
		}
	}
	wantConsistent(t, "defaults", config)
}
