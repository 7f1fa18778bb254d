// SPDX-License-Identifier: Apache-2.0

package apiv1

import (
	"strings"
	"testing"
	"time"
)

func TestRequestLog(t *testing.T) {
	resolve := func(options string) (*Config, error) {
		return resolveText(t, `{"rocketmq_proxy":{"stat_prefix":"s"},"clusters":[{"name":"c","name_servers":["a:1"]}],"addressing":{"unified":{}}`+options+`}`)
	}
	if config, err := resolve(""); err != nil || config.RequestLog != nil {
		t.Errorf("got %v, %v", config.RequestLog, err)
	}
	config, err := resolve(`,"request_log":{"path":"/var/log/x"}`)
	if want := (RequestLogConfig{Path: "/var/log/x", OneIn: 1, MaxFileBytes: 104857600, MaxFiles: 5}); err != nil || *config.RequestLog != want {
		t.Errorf("got %+v, %v", config, err)
	}
	config, err = resolve(`,"request_log":{"path":"/x","one_in":0,"all_errors":true,"slower_than":"0.5s","connections":true,"max_file_bytes":65536,"max_files":1}`)
	if want := (RequestLogConfig{Path: "/x", AllErrors: true, SlowerThan: time.Second / 2, Connections: true, MaxFileBytes: 65536, MaxFiles: 1}); err != nil || *config.RequestLog != want {
		t.Errorf("got %+v, %v", config, err)
	}
	_, err = resolve(`,"request_log":{"path":"log","one_in":1000001,"slower_than":"0s","max_file_bytes":1,"max_files":0}`)
	want := `request_log.path is "log"; want an absolute path
request_log.one_in is 1000001; want 0 to 1000000
request_log.slower_than is 0s; want 1ms to 1h0m0s
request_log.max_file_bytes is 1; want 65536 to 4294967295
request_log.max_files is 0; want 1 to 100`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestBreakdown(t *testing.T) {
	resolve := func(options string) (*Config, error) {
		return resolveText(t, `{"rocketmq_proxy":{"stat_prefix":"s"},"clusters":[{"name":"c","name_servers":["a:1"]}],"addressing":{"unified":{}},"breakdown":`+options+`}`)
	}
	config, err := resolve(`{"topics":["t","%RETRY%g"],"groups":["g"]}`)
	if err != nil || len(config.Breakdown.Topics) != 2 || config.Breakdown.Groups[0] != "g" {
		t.Errorf("got %v, %v", config, err)
	}
	_, err = resolve(`{"topics":["t","t","a.b",""],"groups":["_other"]}`)
	want := `breakdown.topics[1] is "t", which breakdown.topics[0] has already
breakdown.topics[2] is "a.b"; want 1 to 255 of A-Z a-z 0-9 % | _ -, and not _other
breakdown.topics[3] is ""; want 1 to 255 of A-Z a-z 0-9 % | _ -, and not _other
breakdown.groups[0] is "_other"; want 1 to 255 of A-Z a-z 0-9 % | _ -, and not _other`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if _, err = resolve(`{"groups":[` + strings.Repeat(`"x",`, 1000) + `"x"]}`); err == nil || err.Error() != "breakdown.groups has 1001 entries; want at most 1000" {
		t.Errorf("got %v", err)
	}
}
