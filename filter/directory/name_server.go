// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/proxyprotocol"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// RemotingNameServers asks real name servers over TCP.
type RemotingNameServers struct {
	Limits      codec.Limits
	Credentials Credentials
	// Egress ("ip:port") is where connections go first, with a PROXY protocol header; empty: none.
	Egress string
}

// Resolve implements NameServers.
func (RemotingNameServers) Resolve(ctx context.Context, address string) ([]string, error) {
	return resolve(ctx, address)
}

// Brokers sends one GET_BROKER_CLUSTER_INFO on a connection of its own.
func (s RemotingNameServers) Brokers(ctx context.Context, address string) ([]body.Address, error) {
	request := codec.Command{
		Code:     int32(requests.GetBrokerClusterInfo),
		Language: codec.LanguageOther,
		Version:  codec.OwnVersion,
		Opaque:   1,
	}
	credentials, err := s.Credentials.load()
	if err != nil {
		return nil, err
	}
	credentials.sign(&request)
	answer, err := s.exchange(ctx, address, request.Append(nil))
	if err != nil {
		return nil, err
	}
	return body.ParseClusterInfo(answer)
}

// Send implements NameServers, on a connection of its own.
func (s RemotingNameServers) Send(ctx context.Context, address string, frame []byte) error {
	_, err := s.exchange(ctx, address, frame)
	return err
}

// exchange sends one request and returns the body of a successful answer.
func (s RemotingNameServers) exchange(ctx context.Context, address string, frame []byte) ([]byte, error) {
	connection, err := s.dial(ctx, address)
	if err != nil {
		return nil, err
	}
	defer connection.Close() //nolint:errcheck // nothing is lost any more
	// The end of the context, by its deadline or by Stop, ends reading and writing.
	stop := context.AfterFunc(ctx, func() { _ = connection.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := connection.Write(frame); err != nil {
		return nil, err
	}
	header, answer, err := codec.ReadFrame(connection, s.Limits)
	if err != nil {
		return nil, err
	}
	if code := header.ResponseCode(); code != codec.ResponseSuccess {
		return nil, fmt.Errorf("answered %v: %.200q", code, header.Remark())
	}
	return answer, nil
}

func (s RemotingNameServers) dial(ctx context.Context, address string) (net.Conn, error) {
	if s.Egress == "" {
		return (&net.Dialer{}).DialContext(ctx, "tcp", address)
	}
	destination, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Egress)
	if err != nil {
		return nil, err
	}
	source, _ := netip.ParseAddrPort(connection.LocalAddr().String())
	if _, err := connection.Write(proxyprotocol.Header(source, destination)); err != nil {
		_ = connection.Close()
		return nil, err
	}
	return connection, nil
}
