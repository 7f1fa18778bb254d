// SPDX-License-Identifier: Apache-2.0

package router

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"

// Answers to requests that go nowhere.
var (
	unnamed = &codec.Reply{
		Code:   codec.ResponseVersionNotSupported,
		Remark: "the request does not name its broker, and all brokers share this address: use a client of version 4.9.5 to 4.9.8 or 5.1.0 and later, or a proxy in per_broker mode",
	}
	addressOnly = &codec.Reply{
		Code:   codec.ResponseVersionNotSupported,
		Remark: "this request goes to the broker whose address is dialled, and all brokers share this address: use a proxy in per_broker mode",
	}
	unknownCode = &codec.Reply{
		Code:   codec.ResponseRequestCodeNotSupported,
		Remark: "this request code is not known and names no broker: use a proxy in per_broker mode",
	}
	ruleless       = &codec.Reply{Code: codec.ResponseSystemError, Remark: "the proxy has no rule for this request"} // a test excludes it
	brokerless     = &codec.Reply{Code: codec.ResponseServiceNotAvailable, Remark: "no broker is known that serves this client"}
	unmapped       = &codec.Reply{Code: codec.ResponseServiceNotAvailable, Remark: "the proxy does not know which broker has this queue of the static topic (yet): ask for the topic's route first"}
	severalBrokers = &codec.Reply{Code: codec.ResponseSystemError, Remark: "the entries of this request are for several brokers: send a request for each"}

	// RefusedInternal answers requests that no client may send through the proxy.
	RefusedInternal = &codec.Reply{
		Code:   codec.ResponseRequestCodeNotSupported,
		Remark: "this request is for use inside the cluster and is not passed on",
	}
	// RefusedChange answers changes where the config has made admin requests read-only.
	RefusedChange = &codec.Reply{Code: codec.ResponseNoPermission, Remark: "changes are not allowed through this proxy"}
)

// Unreadable returns the answer to a request whose body cannot be read.
func Unreadable(err error) *codec.Reply {
	return &codec.Reply{Code: codec.ResponseSystemError, Remark: "unreadable body: " + err.Error()}
}
