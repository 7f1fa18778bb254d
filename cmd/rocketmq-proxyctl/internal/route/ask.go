// SPDX-License-Identifier: Apache-2.0

package route

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// AnswerError is a name server's answer other than SUCCESS.
type AnswerError struct {
	Code   codec.ResponseCode
	Remark string
}

func (e *AnswerError) Error() string { return fmt.Sprintf("%v: %s", e.Code, e.Remark) }

// Ask returns the body of a topic's route (GET_ROUTEINFO_BY_TOPIC) from a name server at host:port.
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
		Version:  codec.OwnVersion,
		Opaque:   1,
		Fields:   []codec.Field{{Name: "topic", Value: topic}},
	}
	if _, err := connection.Write(request.Append(nil)); err != nil {
		return nil, err
	}
	header, body, err := codec.ReadFrame(connection, limits)
	if err != nil {
		return nil, err
	}
	if code := header.ResponseCode(); code != codec.ResponseSuccess {
		return nil, &AnswerError{code, header.Remark()}
	}
	return body, nil
}
