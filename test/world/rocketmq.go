// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/process"
)

// Broker is one broker. Its address, its folder and so its messages survive Kill, Stop and Start.
type Broker struct {
	Name      string
	Addr      string // its own
	ProxyAddr string // Envoy's listener for it, in per-broker mode

	world  *World
	folder string // in World.Dir
	port   int
	wire   *Wire // nil: clients reach the broker itself

	mu      sync.Mutex
	process *process.Process
}

// javaArgv is the start of a java command line. The options make a JVM start sooner and stay small; they cost
// throughput that no test here needs. -Duser.home keeps RocketMQ's logs and offsets in our folder.
func (w *World) javaArgv(home, classPath string, flags ...string) []string {
	argv := []string{"java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xshare:auto", "-Duser.home=" + home, "-Djava.io.tmpdir=" + home}
	return append(append(argv, flags...), "-cp", classPath)
}

// logback has a server log warnings to its output.
const logback = `<configuration>
  <appender name="output" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%d %p %c %m%n</pattern></encoder></appender>
  <root level="WARN"><appender-ref ref="output"/></root>
</configuration>
`

// startServer starts a RocketMQ server with a properties file of its own.
func (w *World) startServer(name, classPath, class string, config map[string]string, flags ...string) (*process.Process, error) {
	home := filepath.Join(w.Dir, name)
	if err := os.MkdirAll(filepath.Join(home, "conf"), 0o755); err != nil {
		return nil, err
	}
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(config)) {
		fmt.Fprintf(&text, "%s=%s\n", key, config[key])
	}
	file := filepath.Join(home, name+".properties")
	if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
		return nil, err
	}
	// Servers before 5.0 do not start without them. Later ones do not read them.
	for _, name := range []string{"logback_namesrv.xml", "logback_broker.xml"} {
		if err := os.WriteFile(filepath.Join(home, "conf", name), []byte(logback), 0o644); err != nil {
			return nil, err
		}
	}
	return w.spawn(process.Command{
		Name: name,
		Env:  []string{"ROCKETMQ_HOME=" + home},
		Argv: append(w.javaArgv(home, classPath, flags...), class, "-c", file),
	})
}

// StartNameServer starts the name server, also after StopNameServer or KillNameServer, and waits until it
// answers. Brokers register again by themselves, after up to 30 s, or with Broker.Register at once.
func (w *World) StartNameServer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	w.mu.Lock()
	p := w.nameServer
	w.mu.Unlock()
	if p != nil && p.Running() {
		return fmt.Errorf("the name server %w", errAlreadyRunning)
	}
	home := filepath.Join(w.Dir, "namesrv")
	classPath, class, flags := w.paths.servers, "org.apache.rocketmq.namesrv.NamesrvStartup", []string{"-Xms64m", "-Xmx256m"}
	if w.guarded.Load() {
		classPath, class = w.paths.workload+":"+classPath, "workload.GuardedNameServer"
		for _, a := range []Account{Administrator, Application} {
			flags = append(flags, "-Dguard."+a.AccessKey+"="+a.SecretKey)
		}
	}
	config := map[string]string{
		"listenPort":      strconv.Itoa(w.ports[exampleNameServer]),
		"bindAddress":     "127.0.0.1",
		"kvConfigPath":    filepath.Join(home, "kvConfig.json"),
		"configStorePath": filepath.Join(home, "stored.properties"),
	}
	maps.Copy(config, w.controllerConfig(home))
	p, err := w.startServer("namesrv", classPath, class, config, flags...)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.nameServer = p
	w.mu.Unlock()
	return process.Await(ctx, p, "the name server answers", func() (bool, error) {
		_, err := w.call(ctx, w.NameServer, getBrokerClusterInfo, nil, nil)
		return err == nil, err
	})
}

// NameServerProcess is the running or ended process of the name server.
func (w *World) NameServerProcess() *process.Process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nameServer
}

// KillNameServer ends the name server with SIGKILL.
func (w *World) KillNameServer() { w.NameServerProcess().Kill() }

// StopNameServer ends the name server in good order.
func (w *World) StopNameServer() error { return w.NameServerProcess().Stop() }

// Start starts the broker, also after Stop or Kill, and waits until the name server knows it.
func (b *Broker) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if p := b.Process(); p != nil && p.Running() {
		return fmt.Errorf("%s %w", b.Name, errAlreadyRunning)
	}
	store := filepath.Join(b.world.Dir, b.folder, "store")
	config := map[string]string{
		"brokerClusterName":           "DefaultCluster",
		"brokerName":                  b.Name,
		"brokerId":                    "0",
		"brokerRole":                  "ASYNC_MASTER",
		"brokerIP1":                   b.world.opt.BrokerIP,
		"brokerIP2":                   b.world.opt.BrokerIP,
		"bindAddress":                 b.bindAddress(),
		"listenPort":                  strconv.Itoa(b.port),
		"namesrvAddr":                 b.world.NameServer,
		"storePathRootDir":            store,
		"storePathCommitLog":          filepath.Join(store, "commitlog"),
		"mappedFileSizeCommitLog":     "67108864",
		"mappedFileSizeConsumeQueue":  "600000",
		"flushDiskType":               "ASYNC_FLUSH",
		"diskMaxUsedSpaceRatio":       "98",
		"autoCreateTopicEnable":       "true",
		"autoCreateSubscriptionGroup": "true",
		"enablePropertyFilter":        "true",
		"traceTopicEnable":            "true",
		// A busy machine is no reason to refuse messages; the defaults are 200 ms and 1 s.
		"waitTimeMillsInSendQueue":    "5000",
		"osPageCacheBusyTimeOutMills": "5000",
		// Tests do not want to wait a minute for a transaction check. But a broker notes commits in batches, by
		// default every 3 s, and what it checks before it has noted the commit is delivered twice.
		"transactionCheckInterval":   "5000",
		"transactionTimeOut":         "6000",
		"transactionOpBatchInterval": "500",
	}
	maps.Copy(config, b.world.replicaConfig())
	maps.Copy(config, b.world.opt.ACL.config())
	maps.Copy(config, b.world.opt.BrokerConfig)
	if b.world.opt.ACL == ACL1 {
		if err := b.writePlainACL(); err != nil {
			return err
		}
	}
	p, err := b.world.startServer(b.folder, b.world.paths.servers, "org.apache.rocketmq.broker.BrokerStartup", config, "-Xms512m", "-Xmx768m", "-XX:MaxDirectMemorySize=512m")
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.process = p
	b.mu.Unlock()
	if err := process.Await(ctx, p, b.Name+" listens", func() (bool, error) { return dials(b.Addr) }); err != nil {
		return err
	}
	return b.Register(ctx)
}

func (b *Broker) bindAddress() string {
	if b.wire != nil {
		return behindWire
	}
	return b.world.opt.BrokerIP
}

// registered is the broker's address as it registers it: an IPv6 address has no brackets.
func (b *Broker) registered() string { return b.world.opt.BrokerIP + ":" + strconv.Itoa(b.port) }

// Register waits until the name server knows the broker, and bids the broker register meanwhile: by itself it
// does so at its start and every 30 s.
func (b *Broker) Register(ctx context.Context) error {
	var asked time.Time
	return process.Await(ctx, b.Process(), "the name server knows "+b.Name, func() (bool, error) {
		body, err := b.world.call(ctx, b.world.NameServer, getBrokerClusterInfo, nil, nil)
		if err != nil {
			return false, err
		}
		if strings.Contains(string(body), `"`+b.registered()+`"`) {
			return true, nil
		}
		if time.Since(asked) > 500*time.Millisecond {
			asked = time.Now()
			// A broker registers when its permission is set, even to what it was.
			_, err = b.world.call(ctx, b.Addr, updateBrokerConfig, nil, []byte("brokerPermission=6\n"))
		}
		return false, err
	})
}

// Process is the broker's running or last process; nil before the first Start.
func (b *Broker) Process() *process.Process {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.process
}

// Kill ends the broker with SIGKILL; the name server goes on naming it for a while.
func (b *Broker) Kill() { b.Process().Kill() }

// Stop ends the broker in good order; it unregisters.
func (b *Broker) Stop() error {
	if p := b.Process(); p != nil {
		return p.Stop()
	}
	return nil
}

// Ports are all that the broker listens on: for everything, for senders only (VIP channel), for replication.
func (b *Broker) Ports() []int { return []int{b.port, b.port - 2, b.port + 1} }

// CreateTopic makes a topic with so many queues on each broker, or changes it, and waits until the name server's
// route has all of them.
func (w *World) CreateTopic(ctx context.Context, topic string, queuesPerBroker int) error {
	n := strconv.Itoa(queuesPerBroker)
	fields := map[string]string{
		"topic": topic, "defaultTopic": "TBW102", "readQueueNums": n, "writeQueueNums": n, "perm": "6",
		"topicFilterType": "SINGLE_TAG", "topicSysFlag": "0", "order": "false",
	}
	for _, b := range w.Brokers {
		if _, err := w.call(ctx, b.Addr, updateAndCreateTopic, fields, nil); err != nil {
			return err
		}
	}
	return process.Await(ctx, nil, "the name server has the route of "+topic, func() (bool, error) {
		queues, err := w.queues(ctx, topic)
		for _, b := range w.Brokers {
			if queues[b.Name] != queuesPerBroker {
				return false, err
			}
		}
		return true, nil
	})
}

// queues asks the name server how many queues a topic has on each broker.
func (w *World) queues(ctx context.Context, topic string) (map[string]int, error) {
	fields := map[string]string{"topic": topic, "acceptStandardJsonOnly": "true"}
	body, err := w.call(ctx, w.NameServer, getRouteInfoByTopic, fields, nil)
	var answer *codeError
	if errors.As(err, &answer) && answer.code == topicNotExist {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var route struct {
		QueueDatas []struct {
			BrokerName    string `json:"brokerName"`
			ReadQueueNums int    `json:"readQueueNums"`
		} `json:"queueDatas"`
	}
	if err := json.Unmarshal(body, &route); err != nil {
		return nil, fmt.Errorf("route of %s: %w", topic, err)
	}
	queues := make(map[string]int)
	for _, q := range route.QueueDatas {
		queues[q.BrokerName] = q.ReadQueueNums
	}
	return queues, nil
}

// ServerPorts are all ports of the name server, the brokers and RocketMQ Proxy: those to which no client may be connected.
func (w *World) ServerPorts() []int {
	ports := []int{w.ports[exampleNameServer], w.ports[exampleGRPC]}
	for _, b := range w.Brokers {
		ports = append(ports, b.Ports()...)
	}
	return ports
}

// ProxyPorts are the ports of Envoy's listeners.
func (w *World) ProxyPorts() []int {
	if w.opt.Mode == NoProxy {
		return nil
	}
	ports := []int{w.ports[exampleProxyNameServer]}
	if w.opt.Mode == SideBySide {
		ports = append(ports, w.unifiedPort)
	}
	if w.opt.Mode.hasPortPerBroker() {
		for i := range w.Brokers {
			_, proxy := exampleBroker(i)
			ports = append(ports, w.ports[proxy])
		}
	}
	return ports
}
