// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"time"
)

// Request codes of RocketMQ (RequestCode.java) that a World needs. This is a client of its own on purpose: the
// world must not depend on the code that it is there to test.
const (
	updateAndCreateTopic = 17
	updateBrokerConfig   = 25
	getRouteInfoByTopic  = 105
	getBrokerClusterInfo = 106
	createUser           = 3001
	createACL            = 3006

	success       = 0
	topicNotExist = 17
)

// header is a RemotingCommand header in its JSON form.
type header struct {
	Code      int               `json:"code"`
	Language  string            `json:"language"`
	Version   int               `json:"version"`
	Opaque    int               `json:"opaque"`
	Flag      int               `json:"flag"`
	Remark    string            `json:"remark,omitempty"`
	ExtFields map[string]string `json:"extFields,omitempty"`
}

// call makes one request on a connection of its own, signed where servers demand it. An answer with a code other than
// success is returned with a *codeError.
func (w *World) call(ctx context.Context, addr string, code int, fields map[string]string, body []byte) ([]byte, error) {
	signed := maps.Clone(fields)
	if signed == nil {
		signed = map[string]string{}
	}
	w.account().Sign(signed, body)
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if t, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(t); err != nil {
			return nil, err
		}
	}
	// 479 is the number of 5.3.3; since 401 answers are standard JSON.
	h, err := json.Marshal(header{Code: code, Language: "JAVA", Version: 479, Opaque: 1, ExtFields: signed})
	if err != nil {
		return nil, err
	}
	frame := binary.BigEndian.AppendUint32(nil, uint32(4+len(h)+len(body)))
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(h))) // the high byte, 0, says JSON
	frame = append(append(frame, h...), body...)
	if _, err := conn.Write(frame); err != nil {
		return nil, err
	}
	var sizes [8]byte
	if _, err := io.ReadFull(conn, sizes[:]); err != nil {
		return nil, err
	}
	size, headSize := binary.BigEndian.Uint32(sizes[:4]), binary.BigEndian.Uint32(sizes[4:])&0xffffff
	if size < 4+headSize || size > 16<<20 {
		return nil, fmt.Errorf("answer of %s to code %d has a frame length of %d", addr, code, size)
	}
	rest := make([]byte, size-4)
	if _, err := io.ReadFull(conn, rest); err != nil {
		return nil, err
	}
	var answer header
	if err := json.Unmarshal(rest[:headSize], &answer); err != nil {
		return nil, fmt.Errorf("answer of %s to code %d: %w", addr, code, err)
	}
	if answer.Code != success {
		return nil, &codeError{addr: addr, request: code, code: answer.Code, remark: answer.Remark}
	}
	return rest[headSize:], nil
}

// codeError is an answer that is not a success.
type codeError struct {
	addr          string
	request, code int
	remark        string
}

func (e *codeError) Error() string {
	return fmt.Sprintf("%s answered request %d with code %d: %s", e.addr, e.request, e.code, e.remark)
}
