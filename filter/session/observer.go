// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

// Observer receives the records of what has ended. It may be called from any thread, and returns at once.
type Observer interface {
	// Ended takes a request, or a connection; the record is borrowed.
	Ended(*Record)
}

// Record describes a request or a connection that has ended.
type Record struct {
	Client string // "ip:port"
	Local  string // "ip:port" that the client dialled

	// Of a request.
	Code          requests.Code
	Opaque        int32
	Language      codec.LanguageCode
	Version       int32
	Oneway        bool
	LongPoll      bool // it may have waited at the broker
	Topic         string
	ProducerGroup string
	ConsumerGroup string
	Broker        string // its name, where that is known
	Server        string // "ip:port" of the broker or name server; empty if the request went to none, or to several
	Messages      int    // that the request sends; 0 for a batch that is not whole, but for Environment.CountsMessages
	RequestBytes  int    // of the frame
	ResponseBytes int    // of the frame of the answer from upstream; 0: none
	Answered      bool   // the client got ResponseCode
	ResponseCode  codec.ResponseCode
	Cause         string // why there was no answer from upstream; empty: there was, or none was wanted
	Remark        string // of the proxy's own answer

	Connection bool  // it is one, and all of the above is empty
	Requests   int64 // of the connection

	Recorder *stats.Recorder // where the session counts

	Duration Instant // from the request to its end; the life of a connection
}

// text returns the name of a topic or a group as records hold it.
func text(b []byte) string { return string(b[:min(len(b), codec.MaxGroupName)]) }

// IsError reports whether something went wrong: no answer came from upstream, or one that is neither a success nor the end
// of a fetch that found nothing.
func (r *Record) IsError() bool {
	if r.Cause != "" {
		return true
	}
	if !r.Answered {
		return false
	}
	switch r.ResponseCode {
	case codec.ResponseSuccess, codec.ResponsePullNotFound, codec.ResponsePullRetryImmediately, codec.ResponsePollingTimeout, codec.ResponsePollingFull:
		return false
	}
	return true
}
