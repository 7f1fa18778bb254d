// SPDX-License-Identifier: Apache-2.0

package apiv1

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	udpa "github.com/cncf/xds/go/udpa/type/v1"
	xds "github.com/cncf/xds/go/xds/type/v3"
	rocketmqproxy "github.com/envoyproxy/go-control-plane/contrib/envoy/extensions/filters/network/rocketmq_proxy/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Type names that a TypedStruct may carry in its type URL.
const (
	filterConfigType  = "rocketmq_proxy.v1.FilterConfig"
	rocketmqProxyType = "envoy.extensions.filters.network.rocketmq_proxy.v3.RocketmqProxy"
)

// Parse finds the filter's config in `any`, which may hold
//   - a FilterConfig, or Envoy's RocketmqProxy;
//   - an xds.type.v3.TypedStruct (or the older udpa one) of either, by its type URL;
//   - a Struct, or a StringValue or BytesValue with JSON, of either: one with a field of
//     RocketmqProxy is that, any other a FilterConfig;
//   - a BytesValue with a serialized TypedStruct.
//
// ReadBytes takes what a stock Envoy hands to a dynamic module that is configured with a TypedStruct:
// its value as JSON without its type URL from 1.40 on, its bytes before.
//
// A RocketmqProxy comes back as a FilterConfig that has nothing else. The error is an [Errors]; beside it comes what could be
// read nevertheless, or nil.
func Parse(any *anypb.Any) (*FilterConfig, error) {
	if any == nil || any.GetTypeUrl() == "" {
		return nil, Errors{{Path: "the config", Problem: "is missing"}}
	}
	message, err := any.UnmarshalNew()
	if err != nil {
		return nil, Errors{{Path: "the config", Problem: fmt.Sprintf("cannot be read: %v", err)}}
	}
	switch m := message.(type) {
	case *FilterConfig:
		return m, nil
	case *rocketmqproxy.RocketmqProxy:
		return &FilterConfig{RocketmqProxy: m}, nil
	case *xds.TypedStruct:
		return fromTypedStruct(m.GetTypeUrl(), m.GetValue())
	case *udpa.TypedStruct:
		return fromTypedStruct(m.GetTypeUrl(), m.GetValue())
	case *structpb.Struct:
		return fromStruct(m)
	case *wrapperspb.StringValue:
		return fromJSON([]byte(m.GetValue()))
	case *wrapperspb.BytesValue:
		return fromBytes(m.GetValue())
	}
	return nil, Errors{{Path: "the config", Problem: fmt.Sprintf("has the type %s; want a TypedStruct of %s or %s, or one of these messages",
		message.ProtoReflect().Descriptor().FullName(), filterConfigType, rocketmqProxyType)}}
}

func fromTypedStruct(typeURL string, value *structpb.Struct) (*FilterConfig, error) {
	name := typeURL[strings.LastIndexByte(typeURL, '/')+1:]
	text, err := protojson.Marshal(value)
	if err != nil {
		return nil, Errors{{Path: "the config's value", Problem: err.Error()}}
	}
	switch name {
	case filterConfigType:
		return intoFilterConfig(text)
	case rocketmqProxyType:
		return intoRocketmqProxy(text)
	}
	return nil, Errors{{Path: "the config's type_url", Problem: fmt.Sprintf("is %q; want %s or %s", typeURL, filterConfigType, rocketmqProxyType)}}
}

func fromStruct(value *structpb.Struct) (*FilterConfig, error) {
	text, err := protojson.Marshal(value)
	if err != nil {
		return nil, Errors{{Path: "the config", Problem: err.Error()}}
	}
	return fromJSON(text)
}

func fromBytes(value []byte) (*FilterConfig, error) {
	typed := &xds.TypedStruct{}
	if !bytes.HasPrefix(bytes.TrimSpace(value), []byte("{")) && proto.Unmarshal(value, typed) == nil && typed.GetTypeUrl() != "" {
		return fromTypedStruct(typed.GetTypeUrl(), typed.GetValue())
	}
	return fromJSON(value)
}

func fromJSON(text []byte) (*FilterConfig, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, Errors{{Path: "the config", Problem: "is missing"}}
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(bytes.TrimSpace(text), &members); err != nil {
		return nil, Errors{{Path: "the config", Problem: fmt.Sprintf("is not a JSON object: %v", err)}}
	}
	fields := (*rocketmqproxy.RocketmqProxy)(nil).ProtoReflect().Descriptor().Fields()
	for name := range members {
		if fields.ByTextName(name) != nil || fields.ByJSONName(name) != nil {
			return intoRocketmqProxy(text)
		}
	}
	return intoFilterConfig(text)
}

func intoFilterConfig(text []byte) (*FilterConfig, error) {
	config := &FilterConfig{}
	return unmarshalJSON(text, config, config)
}

func intoRocketmqProxy(text []byte) (*FilterConfig, error) {
	config := &FilterConfig{RocketmqProxy: &rocketmqproxy.RocketmqProxy{}}
	return unmarshalJSON(text, config.RocketmqProxy, config)
}

// unmarshalJSON reads a part of `config`, and gives that back.
func unmarshalJSON(text []byte, into proto.Message, config *FilterConfig) (*FilterConfig, error) {
	rest, wrong := checkJSON(text, into.ProtoReflect().Descriptor())
	if err := protojson.Unmarshal(rest, into); err != nil {
		if len(wrong) == 0 {
			wrong = Errors{{Path: "the config", Problem: err.Error()}}
		}
		return nil, wrong
	}
	if len(wrong) > 0 {
		return config, wrong
	}
	return config, nil
}

// Read is Parse and Resolve. The error is an [Errors] with all that either has to say.
func Read(any *anypb.Any) (*Config, error) {
	message, err := Parse(any)
	return resolveParsed(message, err)
}

// ReadBytes is Read for the bytes that a stock Envoy hands to a dynamic module: JSON, or a serialized TypedStruct.
func ReadBytes(value []byte) (*Config, error) {
	message, err := fromBytes(value)
	return resolveParsed(message, err)
}

// resolveParsed resolves what could be read of a config; err says what could not.
func resolveParsed(message *FilterConfig, err error) (*Config, error) {
	if message == nil {
		return nil, err
	}
	config, further := Resolve(message)
	if err == nil {
		return config, further
	}
	var all, more Errors
	errors.As(err, &all)
	errors.As(further, &more)
	for _, e := range more {
		// What could not be read is missing there, which need not be said too.
		if !slices.ContainsFunc(all, func(known FieldError) bool {
			return related(known.Path, e.Path) || related(known.Path, strings.TrimPrefix(e.Path, "rocketmq_proxy."))
		}) {
			all = append(all, e)
		}
	}
	return nil, all
}

// related tells whether two paths are the same, or one leads to the other.
func related(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	rest, ok := strings.CutPrefix(b, a)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}
