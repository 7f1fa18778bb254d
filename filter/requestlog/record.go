// SPDX-License-Identifier: Apache-2.0

// Package requestlog writes a line for each request that has ended. Sessions hand over records and never wait: one
// goroutine for each file writes them.
package requestlog

import (
	"encoding/json"
	"math"
	"net"
	"strconv"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
)

// line is a record as it is written: with the names of OpenTelemetry's semantic conventions for messaging where these
// have one, and with rocketmq.* else.
type line struct {
	Time          string  `json:"time"`
	Event         string  `json:"event.name"`
	System        string  `json:"messaging.system"`
	Operation     string  `json:"messaging.operation.name,omitempty"`
	OperationType string  `json:"messaging.operation.type,omitempty"`
	Destination   string  `json:"messaging.destination.name,omitempty"`
	ConsumerGroup string  `json:"messaging.consumer.group.name,omitempty"`
	ProducerGroup string  `json:"rocketmq.producer.group,omitempty"`
	BatchCount    int     `json:"messaging.batch.message_count,omitempty"`
	ClientAddress string  `json:"client.address"`
	ClientPort    int     `json:"client.port"`
	LocalAddress  string  `json:"network.local.address"`
	LocalPort     int     `json:"network.local.port"`
	ServerAddress string  `json:"server.address,omitempty"`
	ServerPort    int     `json:"server.port,omitempty"`
	Broker        string  `json:"rocketmq.broker.name,omitempty"`
	Language      string  `json:"rocketmq.client.language,omitempty"`
	Version       *int32  `json:"rocketmq.client.version,omitempty"`
	RequestCode   int32   `json:"rocketmq.request.code,omitempty"`
	Opaque        *int32  `json:"rocketmq.request.opaque,omitempty"`
	Oneway        bool    `json:"rocketmq.request.oneway,omitempty"`
	RequestSize   int     `json:"rocketmq.request.size,omitempty"`
	ResponseSize  int     `json:"rocketmq.response.size,omitempty"`
	Response      string  `json:"rocketmq.response.name,omitempty"`
	ResponseCode  *int32  `json:"rocketmq.response.code,omitempty"`
	Milliseconds  float64 `json:"rocketmq.duration_ms"`
	Requests      *int64  `json:"rocketmq.connection.requests,omitempty"`
	ErrorType     string  `json:"error.type,omitempty"`
	ErrorMessage  string  `json:"error.message,omitempty"`
}

// encode appends the line of a record, with its end.
func encode(to *json.Encoder, r *session.Record, ended time.Time) error {
	l := line{
		Time:         ended.UTC().Format("2006-01-02T15:04:05.000000Z"),
		Event:        "rocketmq.request",
		System:       "rocketmq",
		Broker:       r.Broker,
		Milliseconds: math.Round(float64(r.Duration)/float64(time.Microsecond)) / 1000,
	}
	l.ClientAddress, l.ClientPort = addressOf(r.Client)
	l.LocalAddress, l.LocalPort = addressOf(r.Local)
	l.ServerAddress, l.ServerPort = addressOf(r.Server)
	if r.Connection {
		l.Event = "rocketmq.connection"
		l.Requests = &r.Requests
		return to.Encode(l)
	}
	l.Operation, l.OperationType = r.Code.String(), requests.Of(r.Code).Operation.String()
	l.Destination, l.ConsumerGroup, l.ProducerGroup = r.Topic, r.ConsumerGroup, r.ProducerGroup
	l.Language, l.Version = r.Language.String(), &r.Version
	l.RequestCode, l.Opaque, l.Oneway = int32(r.Code), &r.Opaque, r.Oneway
	l.RequestSize, l.ResponseSize = r.RequestBytes, r.ResponseBytes
	if r.Messages > 1 {
		l.BatchCount = r.Messages
	}
	if r.Answered {
		code := int32(r.ResponseCode)
		l.Response, l.ResponseCode = r.ResponseCode.String(), &code
	}
	if r.IsError() {
		l.ErrorType, l.ErrorMessage = r.Cause, r.Remark
		if l.ErrorType == "" {
			l.ErrorType = l.Response
		}
	}
	return to.Encode(l)
}

func addressOf(text string) (host string, port int) {
	host, number, err := net.SplitHostPort(text)
	if err != nil {
		return text, 0
	}
	port, _ = strconv.Atoi(number)
	return host, port
}
