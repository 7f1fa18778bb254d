// SPDX-License-Identifier: Apache-2.0

package envoy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Get reads a page of the admin interface at an address, on a new connection.
func Get(ctx context.Context, admin, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+path, nil)
	if err != nil {
		return "", err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("admin %s: %s", path, response.Status)
	}
	return string(body), err
}

// Stats returns the counters and gauges whose names begin with one of the prefixes, all if there is none. Those that never
// moved are included.
func Stats(ctx context.Context, admin string, prefixes ...string) (map[string]uint64, error) {
	body, err := Get(ctx, admin, "/stats")
	if err != nil {
		return nil, err
	}
	stats := make(map[string]uint64)
	for name, text := range values(body, prefixes) {
		if n, err := strconv.ParseUint(text, 10, 64); err == nil { // others are histograms and text readouts
			stats[name] = n
		}
	}
	return stats, nil
}

// Histograms returns the histograms as /stats prints them, name → text, chosen like Stats.
func Histograms(ctx context.Context, admin string, prefixes ...string) (map[string]string, error) {
	body, err := Get(ctx, admin, "/stats?type=Histograms")
	if err != nil {
		return nil, err
	}
	return values(body, prefixes), nil
}

// values reads the lines "name: value" whose names begin with one of the prefixes.
func values(body string, prefixes []string) map[string]string {
	all := make(map[string]string)
	for line := range strings.Lines(body) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		chosen := len(prefixes) == 0 || slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
		if ok && chosen {
			all[name] = value
		}
	}
	return all
}
