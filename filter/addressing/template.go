// SPDX-License-Identifier: Apache-2.0

package addressing

import (
	"net"
	"strconv"
	"strings"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
)

// template makes ports and addresses from the numbers in brokers' names.
type template apiv1.BrokerTemplateConfig

// role is what a local port is for, if it is one of the template's.
func (t *template) role(port int) (Role, bool) {
	offset := port - t.ListenerBasePort
	if offset < 0 || offset >= t.Numbers*t.IDsPerBroker {
		return Role{}, false
	}
	return Role{Kind: ToNumber, Number: offset / t.IDsPerBroker, BrokerID: int64(offset % t.IDsPerBroker)}, true
}

// advertise is what clients are told of a broker, if the template covers it.
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

// NumberOf is the number in a broker's name: its last run of digits.
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
