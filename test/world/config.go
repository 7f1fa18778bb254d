// SPDX-License-Identifier: Apache-2.0

package world

import (
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// The ports that the files in envoy-config/ use. A World puts its own in their place.
const (
	exampleNameServer      = 9876
	exampleProxyNameServer = 19876 // Envoy, for the name servers (per-broker) or for all (unified)
	exampleAdmin           = 9901
	exampleGRPC            = 8081 // RocketMQ Proxy, for gRPC
)

// exampleBroker are the ports of broker number i (from 0) in those files: its own and Envoy's for it.
func exampleBroker(i int) (broker, proxy int) { return 10911 + 10*i, 20911 + 10*i }

var number = regexp.MustCompile(`[0-9]+`)

// substitutePorts replaces every number of text that is a key of ports by its value. Only whole numbers count:
// "9876" is not found in "19876", nor in "1.9876". It is an error if one of the numbers in required does not
// occur: the config then is not what the caller thinks.
func substitutePorts(text string, ports map[int]int, required []int) (string, error) {
	seen := make(map[int]bool)
	var out strings.Builder
	last := 0
	for _, at := range number.FindAllStringIndex(text, -1) {
		n, err := strconv.Atoi(text[at[0]:at[1]])
		port, ok := ports[n]
		if err != nil || !ok || text[at[0]] == '0' || inWord(text, at[0]-1) || inWord(text, at[1]) {
			continue
		}
		seen[n] = true
		out.WriteString(text[last:at[0]])
		out.WriteString(strconv.Itoa(port))
		last = at[1]
	}
	out.WriteString(text[last:])
	var missing []string
	for _, n := range required {
		if !seen[n] {
			missing = append(missing, strconv.Itoa(n))
		}
	}
	if len(missing) > 0 {
		sort.Strings(missing)
		return "", fmt.Errorf("port %s does not occur in the config", strings.Join(missing, ", "))
	}
	return out.String(), nil
}

// inWord tells whether the byte at i continues a number or a name.
func inWord(text string, i int) bool {
	if i < 0 || i >= len(text) {
		return false
	}
	c := text[i]
	if c == '.' { // the dot of 1.9876, but not that which ends a sentence
		return i+1 < len(text) && text[i+1] >= '0' && text[i+1] <= '9'
	}
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
