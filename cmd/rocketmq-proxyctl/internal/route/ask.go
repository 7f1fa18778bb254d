// SPDX-License-Identifier: Apache-2.0

package route

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// version is what this tool says of itself: V5_3_3 of Java's MQVersion, so that the answer is standard JSON.
const version = 479

// AnswerError is a name server's answer other than SUCCESS.
type AnswerError struct {
	Code   codec.ResponseCode
	Remark string
}

func (e *AnswerError) Error() string { return fmt.Sprintf("%v: %s", e.Code, e.Remark) }

// Ask gets the body of a topic's route (GET_ROUTEINFO_BY_TOPIC) from a name server at host:port.
func Ask(ctx context.Context, address, topic string, limits codec.Limits) ([]byte, error) {
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer connection.Close() //nolint:errcheck // nothing is lost any more
	stop := context.AfterFunc(ctx, func() { _ = connection.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	request := codec.Command{
		Code:     int32(requests.GetRouteInfoByTopic),
		Language: codec.LanguageOther,
		Version:  version,
		Opaque:   1,
		Fields:   []codec.Field{{Name: "topic", Value: topic}},
	}
	if _, err := connection.Write(request.Append(nil)); err != nil {
		return nil, err
	}
	return readAnswer(connection, limits)
}

// readAnswer gives the body of a successful answer.
func readAnswer(r io.Reader, limits codec.Limits) ([]byte, error) {
	start := make([]byte, codec.PrefixSize)
	if _, err := io.ReadFull(r, start); err != nil {
		return nil, err
	}
	prefix, err := codec.ParsePrefix(start, limits)
	if err != nil {
		return nil, err
	}
	size := prefix.HeaderSize + prefix.BodySize
	rest, err := io.ReadAll(io.LimitReader(r, int64(size)))
	if err == nil && len(rest) < size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	var header codec.Header
	if err := header.Parse(prefix.Type, rest[:prefix.HeaderSize]); err != nil {
		return nil, err
	}
	if code := header.ResponseCode(); code != codec.ResponseSuccess {
		return nil, &AnswerError{code, header.Remark()}
	}
	return rest[prefix.HeaderSize:], nil
}
