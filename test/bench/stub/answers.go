// SPDX-License-Identifier: Apache-2.0

package stub

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/bench/frame"
)

// BrokerName is the broker that the stub is; the recorded requests ask for it.
const BrokerName = "broker-a"

const clusterName = "DefaultCluster"

// answers are ready-made, by request code.
type answers map[int32]*frame.Template

// newAnswers makes the answers of a broker and name server. broker is the address that clients are told.
func newAnswers(root string, broker netip.AddrPort, pullBody int) (answers, error) {
	type brokerData struct {
		BrokerAddrs        map[string]string `json:"brokerAddrs"`
		BrokerName         string            `json:"brokerName"`
		Cluster            string            `json:"cluster"`
		EnableActingMaster bool              `json:"enableActingMaster"`
	}
	data := brokerData{BrokerAddrs: map[string]string{"0": broker.String()}, BrokerName: BrokerName, Cluster: clusterName}
	route, err := json.Marshal(map[string]any{
		"brokerDatas":       []brokerData{data},
		"filterServerTable": struct{}{},
		"queueDatas": []any{map[string]any{
			"brokerName": BrokerName, "perm": 6, "readQueueNums": 4, "topicSysFlag": 0, "writeQueueNums": 4,
		}},
	})
	if err != nil {
		return nil, err
	}
	cluster, err := json.Marshal(map[string]any{
		"brokerAddrTable":  map[string]brokerData{BrokerName: data},
		"clusterAddrTable": map[string][]string{clusterName: {BrokerName}},
	})
	if err != nil {
		return nil, err
	}
	all := answers{}
	for _, a := range []struct {
		code codec.RequestCode
		name string
		body []byte
	}{
		{codec.RequestSendMessageV2, "SEND_MESSAGE_V2.response", nil},
		{codec.RequestPullMessage, "PULL_MESSAGE.response", bytes.Repeat([]byte{'m'}, pullBody)},
		{codec.RequestHeartBeat, "HEART_BEAT.response", nil},
		{codec.RequestUnregisterClient, "UNREGISTER_CLIENT.response", nil},
		{codec.RequestGetRouteInfoByTopic, "GET_ROUTEINFO_BY_TOPIC.response", route},
		{codec.RequestGetBrokerClusterInfo, "GET_BROKER_CLUSTER_INFO.response", cluster},
	} {
		if all[int32(a.code)], err = frame.GoldenTemplate(root, a.name, a.body); err != nil {
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
