// SPDX-License-Identifier: Apache-2.0

// Command goclient runs scenarios with the Go client and prints a JSON line for each, like test/java/interop. It is a
// module of its own, with a go.mod for each version of that client.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2/rlog"
)

// catalog are the scenarios by name.
var catalog = map[string]func(*run) error{
	"send-sync":           sendSync,
	"send-async":          sendAsync,
	"send-oneway":         sendOneway,
	"send-batch":          sendBatch,
	"send-4mib":           sendLarge,
	"send-compressed":     sendCompressed,
	"send-delayed":        sendDelayed,
	"send-vip-channel":    sendVIPChannel,
	"one-broker-topic":    sendSync,
	"auto-create-topic":   autoCreateTopic,
	"create-topic":        createTopic,
	"push-concurrent":     pushConcurrent,
	"push-orderly":        pushOrderly,
	"push-broadcast":      pushBroadcast,
	"push-two-members":    pushTwoMembers,
	"filter-tag":          filterTag,
	"filter-sql":          filterSQL,
	"retry-dead-letter":   retryDeadLetter,
	"pull":                pull,
	"tx-commit":           txCommit,
	"tx-rollback":         txRollback,
	"tx-check-back":       txCheckBack,
	"request-reply":       requestReply,
	"request-reply-async": requestReplyAsync,
	"trace":               trace,
	"namespace":           namespace,
	"bare-pull":           barePull,
	"acl1-signed":         signed,
	"acl1-wrong-secret":   wrongSecret,
	"acl2-signed":         signed,
	"acl2-wrong-secret":   wrongSecret,
}

func main() {
	nameServer := flag.String("namesrv", "", "address of the name server")
	prefix := flag.String("prefix", "", "start of the names of topics and groups")
	first := flag.String("scenarios", "", "scenarios to run at once")
	last := flag.String("last", "", "scenarios to run after a line on the input")
	flag.StringVar(&account.AccessKey, "access-key", "", "account of the scenarios that sign")
	flag.StringVar(&account.SecretKey, "secret-key", "", "its secret")
	flag.Parse()
	rlog.SetLogLevel("warn")
	start := func(list string) {
		var group sync.WaitGroup
		for name := range strings.SplitSeq(list, ",") {
			if name != "" {
				group.Go(func() { runOne(newRun(*nameServer, *prefix, name)) })
				time.Sleep(200 * time.Millisecond) // not all at once
			}
		}
		group.Wait()
	}
	start(*first)
	if *last != "" {
		printLine(map[string]any{"event": "phase"})
		if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		start(*last)
	}
	printLine(map[string]any{"event": "end"})
}

// runOne runs a scenario and prints what became of it.
func runOne(r *run) {
	begin := time.Now()
	line := map[string]any{"event": "scenario", "name": r.name}
	scenario, ok := catalog[r.name]
	if !ok {
		line["outcome"] = "lacking"
		printLine(line)
		return
	}
	err := func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		return scenario(r)
	}()
	line["outcome"] = "works"
	if err != nil {
		line["outcome"], line["detail"] = "failed", err.Error()
		line["code"], line["remark"] = refusal(err)
	}
	line["ms"] = time.Since(begin).Milliseconds()
	printLine(line)
	r.closeAll()
}

// codeText is how this client words an answer that is an error; it has no type for all of them.
var codeText = regexp.MustCompile(`(?i)CODE: (\d+),?\s+(?:broker error:|DESC:|remark:)\s*(.*)`)

// refusal finds the code and remark of a refusal, else -1.
func refusal(err error) (int, string) {
	for e := err; e != nil; e = errors.Unwrap(e) {
		if m := codeText.FindStringSubmatch(e.Error()); m != nil {
			if code, err := strconv.Atoi(m[1]); err == nil {
				return code, m[2]
			}
		}
	}
	return -1, ""
}

var printing sync.Mutex

func printLine(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	printing.Lock()
	defer printing.Unlock()
	os.Stdout.Write(append(b, '\n'))
}
