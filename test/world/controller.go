// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"net"
	"path/filepath"
	"strconv"
)

// Controller is the address of the controller, if the World has one.
func (w *World) Controller() string { return loopback(w.controllerPort) }

// controllerConfig are the lines that make a name server the controller of the brokers.
func (w *World) controllerConfig(home string) map[string]string {
	if !w.opt.Controller {
		return nil
	}
	return map[string]string{
		"enableControllerInNamesrv": "true",
		"controllerDLegerGroup":     "controllers",
		"controllerDLegerPeers":     "n0-" + w.Controller(),
		"controllerDLegerSelfId":    "n0",
		"controllerStorePath":       filepath.Join(home, "controller"),
	}
}

// replicaConfig are the lines that make a broker a replica of those of its name.
func (w *World) replicaConfig() map[string]string {
	if !w.opt.Controller {
		return nil
	}
	return map[string]string{
		"enableControllerMode": "true",
		"controllerAddr":       w.Controller(),
		"brokerId":             "-1", // the controller numbers them
		"brokerRole":           "SLAVE",
		"allAckInSyncStateSet": "true",
	}
}

// StartReplica starts another replica of a broker, in a World with a controller, and waits until the name server knows it.
func (w *World) StartReplica(ctx context.Context, of *Broker) (*Broker, error) {
	port, err := w.picker.pick(-2, 1)
	if err != nil {
		return nil, err
	}
	b := &Broker{
		Name: of.Name, Addr: net.JoinHostPort(w.opt.BrokerIP, strconv.Itoa(port)), ProxyAddr: of.ProxyAddr,
		world: w, folder: of.Name + "-replica", port: port,
	}
	w.mu.Lock()
	w.replicas = append(w.replicas, b)
	w.mu.Unlock()
	return b, b.Start(ctx)
}
