// SPDX-License-Identifier: Apache-2.0

package addressing

import (
	"net"
	"net/netip"
	"path"
	"strconv"
	"strings"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

// template makes ports and addresses from the numbers in brokers' names.
type template struct{ apiv1.BrokerTemplateConfig }

func newTemplate(config *apiv1.BrokerTemplateConfig) *template {
	if config == nil {
		return nil
	}
	return &template{*config}
}

// role returns what a local port is for, if it is one of the template's.
func (t *template) role(port int) (Role, bool) {
	offset := port - t.ListenerBasePort
	if offset < 0 || offset >= t.Numbers*t.IDsPerBroker {
		return Role{}, false
	}
	return Role{Kind: NumberedBroker, Number: offset / t.IDsPerBroker, BrokerID: int64(offset % t.IDsPerBroker)}, true
}

// advertise returns the address that is advertised for a broker, if the template covers it.
func (t *template) advertise(broker body.Address) (string, bool) {
	number, ok := NumberOf(broker.BrokerName)
	if !ok || number >= t.Numbers || broker.BrokerID >= int64(t.IDsPerBroker) {
		return "", false
	}
	host := strings.NewReplacer(
		"{cluster}", broker.Cluster,
		"{broker}", broker.BrokerName,
		"{id}", strconv.FormatInt(broker.BrokerID, 10),
		"{number}", strconv.Itoa(number),
	).Replace(t.AdvertisedHost)
	port := t.AdvertisedBasePort + number*t.IDsPerBroker + int(broker.BrokerID)
	return net.JoinHostPort(host, strconv.Itoa(port)), true
}

// advertises reports whether the template can make this host:port, in lower case, of the name of a broker.
func (t *template) advertises(address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	n, err := strconv.Atoi(port)
	offset := n - t.AdvertisedBasePort
	if err != nil || offset < 0 || offset >= t.Numbers*t.IDsPerBroker {
		return false
	}
	const anyName = "*"
	pattern := strings.NewReplacer(
		"{cluster}", anyName,
		"{broker}", anyName,
		"{id}", strconv.Itoa(offset%t.IDsPerBroker),
		"{number}", strconv.Itoa(offset/t.IDsPerBroker),
	).Replace(strings.ToLower(t.AdvertisedHost))
	if _, err := netip.ParseAddr(host); err == nil && strings.Contains(pattern, anyName) {
		return false // no broker is named like a part of an IP address, but one may be there
	}
	matches, _ := path.Match(pattern, host)
	return matches
}

// NumberOf returns the number in a broker's name: its last run of digits.
func NumberOf(brokerName string) (int, bool) {
	const digits = "0123456789"
	end := strings.LastIndexAny(brokerName, digits) + 1
	start := end
	for start > 0 && strings.IndexByte(digits, brokerName[start-1]) >= 0 {
		start--
	}
	number, err := strconv.Atoi(brokerName[start:end])
	return number, err == nil
}
