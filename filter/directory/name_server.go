// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/body"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/proxyprotocol"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
)

// clientVersion is what the directory says of itself: V5_3_3 of MQVersion, so that name servers
// answer in standard JSON where they can.
const clientVersion = 479

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
		Version:  clientVersion,
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

// exchange sends one request and gives the body of a successful answer.
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
	header, answer, err := readFrame(connection, s.Limits)
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

// readFrame reads the answer to the only request on a connection.
func readFrame(r io.Reader, limits codec.Limits) (*codec.Header, []byte, error) {
	start := make([]byte, codec.PrefixSize)
	if _, err := io.ReadFull(r, start); err != nil {
		return nil, nil, err
	}
	prefix, err := codec.ParsePrefix(start, limits)
	if err != nil {
		return nil, nil, err
	}
	rest, err := io.ReadAll(io.LimitReader(r, int64(prefix.HeaderSize)+int64(prefix.BodySize)))
	if err != nil {
		return nil, nil, err
	}
	if len(rest) < prefix.HeaderSize+prefix.BodySize {
		return nil, nil, io.ErrUnexpectedEOF
	}
	header := &codec.Header{}
	if err := header.Parse(prefix.Type, rest[:prefix.HeaderSize]); err != nil {
		return nil, nil, err
	}
	return header, rest[prefix.HeaderSize:], nil
}
