// SPDX-License-Identifier: Apache-2.0

package envoyadmin

import (
	"fmt"
	"math"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/lbmetadata"
)

// Endpoint is one host of a cluster. It is immutable.
type Endpoint struct {
	// Address is ip:port, [ipv6]:port, or the path of a pipe. Names were resolved by Envoy.
	Address string
	// Broker is what the endpoint says of itself in the metadata "envoy.filters.network.rocketmq_proxy".
	Broker Broker
	Health Health
	// Weight is load_balancing_weight, at least 1.
	Weight uint32
	// Priority is that of its locality; 0 is tried first.
	Priority uint32

	lb []lbField // metadata "envoy.lb": a handful, so a list is faster than a map
}

// Broker is the metadata "envoy.filters.network.rocketmq_proxy" of an endpoint. As in Envoy's own filter
// a value that is missing or of another type is "" or 0: the text "4" is no number.
type Broker struct {
	// Name is broker_name; empty when the endpoint does not tell, and then the endpoint cannot be in a route.
	Name string
	// ClusterName is cluster_name, RocketMQ's, not Envoy's.
	ClusterName string
	// ID is broker_id; 0 is the master.
	ID                          int64
	ReadQueueNum, WriteQueueNum int32
	// Perm is the bits of RocketMQ's PermName: 4 read, 2 write.
	Perm int32
}

// Health is whether Envoy would send to an endpoint.
type Health uint8

// The states of health, from best to worst.
const (
	Healthy Health = iota
	Degraded
	Draining
	Unhealthy
)

func (h Health) String() string {
	switch h {
	case Healthy:
		return "healthy"
	case Degraded:
		return "degraded"
	case Draining:
		return "draining"
	case Unhealthy:
		return "unhealthy"
	}
	return fmt.Sprintf("Health(%d)", uint8(h))
}

// lbField is a key of an endpoint's metadata with its value, and what is in that if it is a list.
type lbField struct {
	lbmetadata.Criterion
	isList   bool
	elements []lbmetadata.Value
}

func newLBMetadata(fields map[string]any) ([]lbField, error) {
	all, err := lbmetadata.NewCriteria(fields)
	if err != nil {
		return nil, err
	}
	lb := make([]lbField, len(all))
	for i, each := range all {
		lb[i].Criterion = each
		var list []any
		list, lb[i].isList = fields[each.Key].([]any)
		for _, entry := range list {
			element, err := lbmetadata.NewValue(entry)
			if err != nil {
				return nil, err
			}
			lb[i].elements = append(lb[i].elements, element)
		}
	}
	return lb, nil
}

func newBroker(fields map[string]any) Broker {
	text := func(key string) string {
		s, _ := fields[key].(string)
		return s
	}
	number := func(key string) int32 { // as a double that is cast, only that what does not fit is cut off
		n, _ := fields[key].(float64)
		return int32(min(max(n, math.MinInt32), math.MaxInt32))
	}
	return Broker{
		Name:          text("broker_name"),
		ClusterName:   text("cluster_name"),
		ID:            int64(number("broker_id")),
		ReadQueueNum:  number("read_queue_num"),
		WriteQueueNum: number("write_queue_num"),
		Perm:          number("perm"),
	}
}
