// SPDX-License-Identifier: Apache-2.0

package requestlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/session"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestLinesHaveTheNamesOfOpenTelemetry(t *testing.T) {
	at := time.Date(2026, 11, 25, 3, 4, 5, 6789000, time.FixedZone("", 3600))
	for _, each := range []struct {
		record session.Record
		want   string
	}{
		{
			session.Record{
				Client: "10.1.1.1:5000", Local: "[::1]:9876", Code: requests.SendMessageV2, Opaque: 7, Language: codec.LanguageJava, Version: 479,
				Topic: "a<b", ProducerGroup: "p", Broker: "broker-a", Server: "10.0.0.1:10911", RequestBytes: 300, ResponseBytes: 200,
				Answered: true, Duration: 1234567,
			},
			`{"time":"2026-11-25T02:04:05.006789Z","event.name":"rocketmq.request","messaging.system":"rocketmq","messaging.operation.name":"SEND_MESSAGE_V2","messaging.operation.type":"send",` +
				`"messaging.destination.name":"a<b","rocketmq.producer.group":"p","client.address":"10.1.1.1","client.port":5000,"network.local.address":"::1","network.local.port":9876,` +
				`"server.address":"10.0.0.1","server.port":10911,"rocketmq.broker.name":"broker-a","rocketmq.client.language":"JAVA","rocketmq.client.version":479,` +
				`"rocketmq.request.code":310,"rocketmq.request.opaque":7,"rocketmq.request.size":300,"rocketmq.response.size":200,"rocketmq.response.name":"SUCCESS","rocketmq.response.code":0,"rocketmq.duration_ms":1.235}`,
		},
		{
			session.Record{
				Client: "10.1.1.1:5000", Local: "10.0.0.9:9876", Code: requests.PullMessage, Topic: "t\xff\n", ConsumerGroup: "g", Answered: true,
				ResponseCode: codec.ResponseFlowControl, Cause: "refused", Remark: "slow down",
			},
			`{"time":"2026-11-25T02:04:05.006789Z","event.name":"rocketmq.request","messaging.system":"rocketmq","messaging.operation.name":"PULL_MESSAGE","messaging.operation.type":"receive",` +
				`"messaging.destination.name":"t\ufffd\n","messaging.consumer.group.name":"g","client.address":"10.1.1.1","client.port":5000,"network.local.address":"10.0.0.9","network.local.port":9876,` +
				`"rocketmq.client.language":"JAVA","rocketmq.client.version":0,"rocketmq.request.code":11,"rocketmq.request.opaque":0,` +
				`"rocketmq.response.name":"FLOW_CONTROL","rocketmq.response.code":215,"rocketmq.duration_ms":0,"error.type":"refused","error.message":"slow down"}`,
		},
		{
			session.Record{Client: "10.1.1.1:5000", Local: "10.0.0.9:9876", Connection: true, Requests: 3, Duration: 2 * time.Second},
			`{"time":"2026-11-25T02:04:05.006789Z","event.name":"rocketmq.connection","messaging.system":"rocketmq","client.address":"10.1.1.1","client.port":5000,` +
				`"network.local.address":"10.0.0.9","network.local.port":9876,"rocketmq.duration_ms":2000,"rocketmq.connection.requests":3}`,
		},
	} {
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		if err := encode(encoder, &each.record, at); err != nil || b.String() != each.want+"\n" {
			t.Errorf("got %v\n%s\nwant\n%s", err, b.String(), each.want)
		}
	}
}

// opened gives an observer with its log, which Close has write everything.
func opened(t *testing.T, config apiv1.RequestLogConfig) (*Observer, *stats.Set) {
	t.Helper()
	if config.MaxFileBytes == 0 {
		config.MaxFileBytes, config.MaxFiles = 1<<20, 5
	}
	set := stats.New()
	return NewObserver(&config, Open(config.Path), set.Recorder()), set
}

func TestRecordsAreWrittenAtTheLatestAtTheEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	o, set := opened(t, apiv1.RequestLogConfig{Path: path, OneIn: 1})
	for range 100 {
		o.Ended(&session.Record{Code: requests.PullMessage})
	}
	o.Ended(&session.Record{Connection: true})
	o.log.Close()
	o.Ended(&session.Record{Code: requests.PullMessage}) // of a session that lives on: lost
	if got := strings.Count(read(t, path), `"messaging.operation.name":"PULL_MESSAGE"`); got != 100 {
		t.Errorf("%d lines, want 100", got)
	}
	if written, dropped := set.Value(stats.RequestLogWritten), set.Value(stats.RequestLogDropped); written != 100 || dropped != 0 {
		t.Errorf("written %d, dropped %d", written, dropped)
	}
}

func TestWhatDoesNotFitTheQueueIsDroppedAndCounted(t *testing.T) {
	set := stats.New()
	o := &Observer{config: &apiv1.RequestLogConfig{OneIn: 1}, log: &Log{queue: make(chan entry, 2)}, recorder: set.Recorder()}
	for range 5 {
		o.Ended(&session.Record{})
	}
	if got := set.Value(stats.RequestLogDropped); got != 3 {
		t.Errorf("%d dropped, want 3", got)
	}
}

func TestAFileThatCannotBeOpenedIsCounted(t *testing.T) {
	o, set := opened(t, apiv1.RequestLogConfig{Path: filepath.Join(t.TempDir(), "missing", "log"), OneIn: 1})
	o.Ended(&session.Record{})
	o.log.Close()
	if dropped, failures := set.Value(stats.RequestLogDropped), set.Value(stats.RequestLogFailure); dropped != 1 || failures != 1 {
		t.Errorf("%d dropped, %d failures", dropped, failures)
	}
}

func TestWhichRequestsAreLogged(t *testing.T) {
	fine := session.Record{Answered: true, Duration: time.Second}
	slow := session.Record{Answered: true, Duration: time.Second + 1}
	poll := session.Record{Answered: true, Duration: time.Minute, LongPoll: true, ResponseCode: codec.ResponsePullNotFound}
	failed := session.Record{Answered: true, ResponseCode: codec.ResponseTopicNotExist}
	lost := session.Record{Cause: "client_gone"}
	connection := session.Record{Connection: true}
	for name, each := range map[string]struct {
		config apiv1.RequestLogConfig
		want   [6]bool // fine, slow, poll, failed, lost, connection
	}{
		"all":         {apiv1.RequestLogConfig{OneIn: 1}, [6]bool{true, true, true, true, true, false}},
		"none":        {apiv1.RequestLogConfig{}, [6]bool{}},
		"errors":      {apiv1.RequestLogConfig{AllErrors: true}, [6]bool{3: true, 4: true}},
		"slow":        {apiv1.RequestLogConfig{SlowerThan: time.Second}, [6]bool{1: true}},
		"connections": {apiv1.RequestLogConfig{Connections: true}, [6]bool{5: true}},
	} {
		o := &Observer{config: &each.config}
		for i, r := range []session.Record{fine, slow, poll, failed, lost, connection} {
			if got := o.wants(&r); got != each.want[i] {
				t.Errorf("%s: record %d: got %v", name, i, got)
			}
		}
	}
}

func TestASampleIsTheSameEachTimeAndAboutAsLargeAsAskedFor(t *testing.T) {
	o := &Observer{config: &apiv1.RequestLogConfig{OneIn: 10}}
	taken := 0
	for client := range 100 {
		for opaque := range int32(100) {
			r := session.Record{Client: "10.1.1." + string(rune('0'+client%10)) + ":" + string(rune('0'+client/10)), Opaque: opaque}
			got := o.wants(&r)
			if got {
				taken++
			}
			if o.wants(&r) != got {
				t.Fatal("another answer to the same request")
			}
		}
	}
	if taken < 900 || taken > 1100 {
		t.Errorf("%d of 10000 were taken, want about 1000", taken)
	}
}

func TestAFileIsPutAsideWhenItHasGrown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f := &file{path: path}
	for _, line := range []string{"1\n", "2\n", "3\n", "4\n", "5\n", "6\n", "7\n"} {
		if _, err := f.write([]byte(line), 4, 3); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.flush(); err != nil {
		t.Fatal(err)
	}
	f.close()
	for name, want := range map[string]string{path: "7\n", path + ".1": "5\n6\n", path + ".2": "3\n4\n"} {
		if got := read(t, name); got != want {
			t.Errorf("%s is %q, want %q", filepath.Base(name), got, want)
		}
	}
	if _, err := os.Stat(path + ".3"); err == nil {
		t.Error("a fourth file is kept")
	}
	again := &file{path: path} // after a restart what is there counts
	for range 2 {
		if _, err := again.write([]byte("8\n"), 4, 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := again.flush(); err != nil {
		t.Fatal(err)
	}
	again.close()
	if got := read(t, path); got != "8\n" {
		t.Errorf("with one file kept it is %q", got)
	}
}

func TestAFileThatWasMovedOrRemovedIsOpenedAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f := &file{path: path}
	write := func(line string) {
		t.Helper()
		if _, err := f.write([]byte(line), 1<<20, 5); err != nil {
			t.Fatal(err)
		}
		if err := f.flush(); err != nil {
			t.Fatal(err)
		}
		f.follow()
	}
	write("1\n")
	write("2\n")
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	write("3\n") // nobody has looked yet
	write("4\n")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	f.follow()
	write("5\n")
	f.close()
	if got, old := read(t, path), read(t, path+".old"); got != "5\n" || old != "1\n2\n3\n" {
		t.Errorf("got %q and %q", got, old)
	}
}

// A file whose folder takes no other grows on, and no line is lost.
func TestWithoutRoomToRotateTheFileGrowsOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.MkdirAll(path+".1/in-the-way", 0o700); err != nil {
		t.Fatal(err)
	}
	f := file{path: path}
	defer f.close()
	failures := 0
	for range 10 {
		kept, err := f.write([]byte("0123456789\n"), 33, 2)
		if !kept {
			t.Fatal(err)
		}
		if err != nil {
			failures++
		}
	}
	if err := f.flush(); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || len(text) != 110 || failures != 3 {
		t.Errorf("%d bytes, %v, %d failures; want 110 and 3", len(text), err, failures)
	}
}

// What is no regular file under its own name is written to and left as it is: what it is stays, no numbered file appears,
// and a regular file behind a link keeps all lines.
func TestOnlyRegularFilesAreRotated(t *testing.T) {
	dir := t.TempDir()
	target, link, fifo := filepath.Join(dir, "target"), filepath.Join(dir, "link"), filepath.Join(dir, "fifo")
	if err := os.WriteFile(target, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	// As in a process whose standard output was redirected to a file.
	redirected, err := os.OpenFile(filepath.Join(dir, "redirected"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer redirected.Close()
	stdout := fmt.Sprintf("/proc/self/fd/%d", redirected.Fd())

	const want = "1\n2\n3\n4\n5\n6\n7\n8\n"
	contents := map[string]func() string{
		link:   func() string { return read(t, target) },
		stdout: func() string { return read(t, redirected.Name()) },
		fifo: func() string {
			b := make([]byte, 100)
			n, _ := reader.Read(b)
			return string(b[:n])
		},
	}
	null := filepath.Join(dir, "null") // a device of the test's: a fault would remove the machine's
	if err := syscall.Mknod(null, syscall.S_IFCHR|0o600, 1<<8|3); err == nil {
		contents[null] = func() string { return want }
	} else if !errors.Is(err, syscall.EPERM) {
		t.Fatal(err)
	}
	before, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, maxFiles := range []int{1, 3} {
		for path, content := range contents {
			before, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			f := &file{path: path}
			for line := range strings.Lines(want) {
				if kept, err := f.write([]byte(line), 4, maxFiles); !kept || err != nil {
					t.Errorf("%s: kept %v, %v", path, kept, err)
				}
				if err := f.flush(); err != nil {
					t.Errorf("%s: %v", path, err)
				}
				f.follow()
			}
			f.close()
			if got := content(); !strings.HasSuffix(got, want) {
				t.Errorf("%s has %q", path, got)
			}
			if after, err := os.Lstat(path); err != nil || after.Mode() != before.Mode() || !os.SameFile(before, after) {
				t.Errorf("%s was %v and is %v, %v", path, before.Mode(), after.Mode(), err)
			}
		}
	}
	after, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || !slices.Equal(before, after) {
		t.Errorf("there were %q, and are %q, %v", before, after, err)
	}
}

// A file that another process has put in the place of ours is not moved.
func TestTheFileOfAnotherIsNotRotated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f := &file{path: path}
	defer f.close()
	write := func(line string) {
		t.Helper()
		if kept, err := f.write([]byte(line), 4, 5); !kept || err != nil {
			t.Fatal(err)
		}
	}
	write("1\n")
	if err := errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, []byte("other\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	write("2\n")
	write("3\n")
	if err := f.flush(); err != nil {
		t.Fatal(err)
	}
	if got, old := read(t, path), read(t, path+".old"); got != "other\n" || old != "1\n2\n3\n" {
		t.Errorf("got %q and %q", got, old)
	}
}

func TestAPipeThatNobodyReadsHoldsNobodyUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("nobody has opened it", func(t *testing.T) {
		o, set := opened(t, apiv1.RequestLogConfig{Path: path, OneIn: 1})
		o.Ended(&session.Record{})
		o.log.Close()
		if dropped, failures := set.Value(stats.RequestLogDropped), set.Value(stats.RequestLogFailure); dropped != 1 || failures != 1 {
			t.Errorf("%d dropped, %d failures", dropped, failures)
		}
	})
	t.Run("it is full", func(t *testing.T) {
		reader, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		o, _ := opened(t, apiv1.RequestLogConfig{Path: path, OneIn: 1})
		for range queueLength { // more than a pipe and the buffer hold
			o.Ended(&session.Record{Topic: strings.Repeat("t", 255)})
		}
		o.log.Close()
		<-o.log.done // the writer ends too
	})
}
