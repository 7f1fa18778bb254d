// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/repo"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/usage"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// realReport is the part "real".
type realReport struct {
	Rows []realRow `json:"rows"`
}

// realRow is a path.
type realRow struct {
	Variant variant `json:"variant"`
	Rate    spread  `json:"messages_per_second"`
	BusyP50 spread  `json:"busy_send_p50_us"`
	BusyP99 spread  `json:"busy_send_p99_us"`
	CPU     *spread `json:"cpu_us_per_message,omitempty"` // nil if direct
	RSS     float64 `json:"rss_mb"`                       // of the proxy, at the end; 10^6 bytes
	P50     spread  `json:"send_p50_us"`                  // at calmRate
	P99     spread  `json:"send_p99_us"`
	// EndToEndP50 is from a message's sending to its delivery, at calmRate, over all rounds.
	EndToEndP50 float64 `json:"end_to_end_p50_us"`
	EndToEndP99 float64 `json:"end_to_end_p99_us"`

	Rounds []realMeasurement `json:"rounds"`
}

// realMeasurement is a path in one round.
type realMeasurement struct {
	Rate    float64 `json:"messages_per_second"`
	BusyP50 float64 `json:"busy_send_p50_us"`
	BusyP99 float64 `json:"busy_send_p99_us"`
	CPU     float64 `json:"cpu_us_per_message"`
	P50     float64 `json:"send_p50_us"`
	P99     float64 `json:"send_p99_us"`
}

const (
	realThreads = 32  // that send, each waiting for its answer
	calmRate    = 200 // messages per second that every path bears
	calmThreads = 4
	realQueues  = 4 // of a topic on each broker
)

// client is the consumer that stays at its path, and what its producers need.
type client struct {
	*realPath
	w        *world.World
	topic    string
	consumer *world.Java
	sent     int64 // over all producers; so the next message's id
	runs     int
}

func (b *benchmark) real(ctx context.Context) (finding, error) {
	if err := repo.Fetch(ctx, b.opt.envoyVersion, "envoy", "java", "proxy"); err != nil {
		return nil, err
	}
	variants, rounds, busy, calm, warmUps := realVariants, 3, 4*time.Second, 3*time.Second, 2
	if b.opt.quick {
		variants = slices.DeleteFunc(slices.Clone(variants), func(v variant) bool { return v == tcpProxy })
		rounds, busy, calm, warmUps = 1, 2*time.Second, 2*time.Second, 1
	}
	topics := map[string]int{}
	for _, v := range variants {
		topics[realTopic(v)] = realQueues
	}
	w, err := world.Start(ctx, world.Options{Mode: world.NoProxy, Topics: topics, EnvoyVersion: b.opt.envoyVersion})
	if err != nil {
		return nil, err
	}
	defer w.Stop()
	var clients []*client
	defer func() {
		for _, c := range clients {
			c.stop()
		}
	}()
	for _, v := range variants {
		p, err := b.startRealPath(ctx, v, w)
		if err != nil {
			return nil, err
		}
		c := &client{realPath: p, w: w, topic: realTopic(v)}
		clients = append(clients, c)
		if err := c.consume(); err != nil {
			return nil, err
		}
	}
	for _, c := range clients {
		if err := world.AwaitGroup(ctx, []*world.Java{c.consumer}, realQueues*len(w.Brokers), time.Second); err != nil {
			return nil, fmt.Errorf("%s: %w", c.variant, err)
		}
		// Before it counts: JVMs get quicker.
		for range warmUps {
			if _, err := c.produce(ctx, busyArgs(busy)); err != nil {
				return nil, err
			}
		}
	}
	all := make([][]realMeasurement, rounds)
	for i := range all {
		all[i] = make([]realMeasurement, len(clients))
		for _, k := range order(i, len(clients)) {
			if all[i][k], err = clients[k].measure(ctx, busy, calm); err != nil {
				return nil, err
			}
		}
	}
	r := &realReport{}
	for k, c := range clients {
		row, err := c.row(ctx, all, k)
		if err != nil {
			return nil, err
		}
		r.Rows = append(r.Rows, row)
	}
	fmt.Print(r.markdown())
	return r, nil
}

// realTopic is the path's own.
func realTopic(v variant) string {
	return "bench-" + strings.ToLower(strings.ReplaceAll(string(v), " ", "-"))
}

func (c *client) consume() (err error) {
	c.consumer, err = c.w.StartJava(world.JavaOptions{
		Name: "consumer-" + c.topic, Class: "workload.Consumer",
		Args: []string{"--namesrv", c.address, "--topic", c.topic, "--group", "group-" + c.topic},
	})
	return err
}

func busyArgs(d time.Duration) []string {
	return []string{"--threads", strconv.Itoa(realThreads), "--duration", seconds(d)}
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }

// measure sends as fast as answers come, and then calmly.
func (c *client) measure(ctx context.Context, busy, calm time.Duration) (m realMeasurement, err error) {
	before, err := c.used()
	if err != nil {
		return m, err
	}
	end, err := c.produce(ctx, busyArgs(busy))
	if err != nil {
		return m, err
	}
	after, err := c.used()
	if err != nil {
		return m, err
	}
	m.Rate = float64(end.TotalSent) / busy.Seconds()
	m.CPU = micros(after.Since(before).CPU) / float64(end.TotalSent)
	m.BusyP50, m.BusyP99 = float64(end.P50), float64(end.P99)
	end, err = c.produce(ctx, []string{
		"--threads", strconv.Itoa(calmThreads), "--rate", strconv.Itoa(calmRate), "--duration", seconds(calm), "--stamp", "yes",
	})
	m.P50, m.P99 = float64(end.P50), float64(end.P99)
	return m, err
}

// used is what the proxy has used so far.
func (c *client) used() (usage.Usage, error) {
	if c.proxy == nil {
		return usage.Usage{}, nil
	}
	return usage.Of(c.proxy.Pid())
}

// produce runs a producer to its end and waits until the consumer has everything.
func (c *client) produce(ctx context.Context, args []string) (end world.Event, err error) {
	c.runs++
	producer, err := c.w.StartJava(world.JavaOptions{
		Name: fmt.Sprintf("producer-%s-%d", c.topic, c.runs), Class: "workload.Producer",
		Args: append([]string{"--namesrv", c.address, "--topic", c.topic, "--size", "300", "--first-id", strconv.FormatInt(c.sent, 10)}, args...),
	})
	if err != nil {
		return end, err
	}
	if end, err = producer.Await(ctx, "end", nil); err != nil {
		return end, fmt.Errorf("%s: %w", c.variant, err)
	}
	c.sent += end.TotalSent
	if end.TotalFailed > 0 || end.TotalSent == 0 {
		return end, fmt.Errorf("%s: %d messages were sent and %d failed: %s", c.variant, end.TotalSent, end.TotalFailed, end.Error)
	}
	catchUp, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	_, err = c.consumer.Await(catchUp, "tick", func(e world.Event) bool { return e.TotalConsumed >= c.sent })
	if err != nil {
		return end, fmt.Errorf("%s: the consumer has not all of %d messages: %w", c.variant, c.sent, err)
	}
	return end, producer.Stop()
}

// row sums up client k and ends its consumer.
func (c *client) row(ctx context.Context, all [][]realMeasurement, k int) (r realRow, err error) {
	r.Variant = c.variant
	u, err := c.used()
	if err != nil {
		return r, err
	}
	r.RSS = float64(u.RSS) / 1e6
	end, err := c.consumer.Finish(ctx)
	if err != nil {
		return r, err
	}
	if end.TotalConsumed != c.sent || end.Corrupt != 0 {
		return r, fmt.Errorf("%s: %d messages were sent, %d consumed, %d of them not as they were", c.variant, c.sent, end.TotalConsumed, end.Corrupt)
	}
	r.EndToEndP50, r.EndToEndP99 = float64(end.P50), float64(end.P99)
	over := func(f func(realMeasurement) float64) spread {
		var values []float64
		for _, round := range all {
			values = append(values, f(round[k]))
		}
		return spreadOf(values)
	}
	for _, round := range all {
		r.Rounds = append(r.Rounds, round[k])
	}
	r.Rate = over(func(m realMeasurement) float64 { return m.Rate })
	r.BusyP50 = over(func(m realMeasurement) float64 { return m.BusyP50 })
	r.BusyP99 = over(func(m realMeasurement) float64 { return m.BusyP99 })
	r.P50 = over(func(m realMeasurement) float64 { return m.P50 })
	r.P99 = over(func(m realMeasurement) float64 { return m.P99 })
	if c.proxy != nil {
		used := over(func(m realMeasurement) float64 { return m.CPU })
		r.CPU = &used
	}
	return r, nil
}
