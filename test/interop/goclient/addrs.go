// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"regexp"
	"time"
)

var brokerAddr = regexp.MustCompile(`"?0"?:"([^"]+)"`)

// brokerAddrs asks the name server for the addresses of all brokers. This client knows them but does not tell.
func brokerAddrs(r *run) ([]string, error) {
	conn, err := net.DialTimeout("tcp", r.nameServer, 3*time.Second)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return nil, err
	}
	const header = `{"code":106,"language":"GO","version":479,"opaque":1,"flag":0}`
	frame := binary.BigEndian.AppendUint32(nil, uint32(4+len(header)))
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(header)))
	if _, err := conn.Write(append(frame, header...)); err != nil {
		return nil, err
	}
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	answer := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(conn, answer); err != nil {
		return nil, err
	}
	var addrs []string
	for _, m := range brokerAddr.FindAllSubmatch(answer, -1) {
		addrs = append(addrs, string(m[1]))
	}
	if len(addrs) != brokers {
		return nil, fmt.Errorf("the cluster has brokers %v", addrs)
	}
	return addrs, nil
}
