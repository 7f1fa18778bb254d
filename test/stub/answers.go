// SPDX-License-Identifier: Apache-2.0

package stub

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/frame"
)

// BrokerName is the broker that the stub is; the recorded requests ask for it.
const BrokerName = "broker-a"

// otherBroker names one of the brokers that are only told of.
func otherBroker(i int) string { return fmt.Sprintf("broker-%d", i) }

const clusterName = "DefaultCluster"

// answers are ready-made, by request code.
type answers map[int32]*frame.Template

// newAnswers makes the answers of a broker and name server. broker is the address that clients are told. Every topic
// has four queues on each of opt.Brokers brokers; those after the first are at addresses where nothing is.
func newAnswers(opt Options, broker netip.AddrPort) (answers, error) {
	type brokerData struct {
		BrokerAddrs        map[string]string `json:"brokerAddrs"`
		BrokerName         string            `json:"brokerName"`
		Cluster            string            `json:"cluster"`
		EnableActingMaster bool              `json:"enableActingMaster"`
	}
	var datas []brokerData
	var queues []any
	var names []string
	table := map[string]brokerData{}
	for i := range opt.Brokers {
		name, addr := BrokerName, broker.String()
		if i > 0 {
			name, addr = otherBroker(i), fmt.Sprintf("192.0.2.%d:%d", i%250+1, 10000+i)
		}
		data := brokerData{BrokerAddrs: map[string]string{"0": addr}, BrokerName: name, Cluster: clusterName}
		datas, names, table[name] = append(datas, data), append(names, name), data
		queues = append(queues, map[string]any{
			"brokerName": name, "perm": 6, "readQueueNums": 4, "topicSysFlag": 0, "writeQueueNums": 4,
		})
	}
	route, err := json.Marshal(map[string]any{
		"brokerDatas":       datas,
		"filterServerTable": struct{}{},
		"queueDatas":        queues,
	})
	if err != nil {
		return nil, err
	}
	cluster, err := json.Marshal(map[string]any{
		"brokerAddrTable":  table,
		"clusterAddrTable": map[string][]string{clusterName: names},
	})
	if err != nil {
		return nil, err
	}
	all := answers{}
	for _, a := range []struct {
		code requests.Code
		name string
		body []byte
	}{
		{requests.SendMessageV2, "SEND_MESSAGE_V2.response", nil},
		{requests.PullMessage, "PULL_MESSAGE.response", bytes.Repeat([]byte{'m'}, opt.PullBody)},
		{requests.HeartBeat, "HEART_BEAT.response", nil},
		{requests.UnregisterClient, "UNREGISTER_CLIENT.response", nil},
		{requests.GetRouteInfoByTopic, "GET_ROUTEINFO_BY_TOPIC.response", route},
		{requests.GetBrokerClusterInfo, "GET_BROKER_CLUSTER_INFO.response", cluster},
	} {
		if all[int32(a.code)], err = frame.GoldenTemplate(a.name, a.body); err != nil {
			return nil, fmt.Errorf("%s: %w", a.name, err)
		}
	}
	return all, nil
}

// notSupported answers what the stub has no answer for.
func notSupported(dst []byte, opaque int32) []byte {
	c := codec.Command{
		Code:   int32(codec.ResponseRequestCodeNotSupported),
		Opaque: opaque,
		Flag:   codec.FlagResponse,
		Remark: "the stub knows no such request",
	}
	return c.Append(dst)
}
