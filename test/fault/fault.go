// SPDX-License-Identifier: Apache-2.0

// Package fault breaks parts of a World under load, mends them, and watches how pairs of clients get over it.
package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/world"
)

// Fault hits all pairs at the same time.
type Fault struct {
	Name string
	// Strike begins it and Heal ends it. One broker is chosen for those that hit one.
	Strike, Heal func(ctx context.Context, w *world.World, chosen *world.Broker) error
	// Lasts is the least time between the two.
	Lasts time.Duration
	// Hit are the brokers that some pair cannot reach meanwhile.
	Hit Hit
	// Wired faults need a broker that is reached by a Wire.
	Wired bool
	// Spares tells whom it may cost no send at all.
	Spares func(world.Way) bool
	// Quick faults are those of a short run.
	Quick bool
}

// Hit is which brokers a fault makes unreachable.
type Hit int

// None, the chosen one, or all.
const (
	NoBroker Hit = iota
	ChosenBroker
	EveryBroker
)

func everybody(world.Way) bool { return true }

func nobody(world.Way) bool { return false }

func directOnes(w world.Way) bool { return !w.Proxied() }

func nothing(context.Context, *world.World, *world.Broker) error { return nil }

const (
	// pause is how long what stands still does so: longer than a client waits for an answer to a send.
	pause = 8 * time.Second
	// latency is what Delayed adds to each read, either way.
	latency = 300 * time.Millisecond
)

// All is every fault there is.
var All = []Fault{
	{
		Name: "broker killed", Hit: ChosenBroker, Spares: nobody, Quick: true,
		Strike: func(_ context.Context, _ *world.World, b *world.Broker) error { b.Kill(); return nil },
		Heal:   start,
	},
	{
		Name: "broker stopped in good order", Hit: ChosenBroker, Spares: nobody,
		Strike: func(_ context.Context, _ *world.World, b *world.Broker) error { return b.Stop() },
		Heal:   start,
	},
	{
		Name: "broker stands still", Hit: ChosenBroker, Lasts: pause, Spares: nobody, Quick: true,
		Strike: func(_ context.Context, _ *world.World, b *world.Broker) error { b.Process().Pause(); return nil },
		Heal:   func(_ context.Context, _ *world.World, b *world.Broker) error { b.Process().Resume(); return nil },
	},
	{
		Name: "broker with a slow disk", Hit: NoBroker, Spares: nobody,
		Strike: stutter,
		Heal:   nothing,
	},
	{
		Name: "all brokers killed", Hit: EveryBroker, Spares: nobody,
		Strike: func(_ context.Context, w *world.World, _ *world.Broker) error {
			for _, b := range w.Brokers {
				b.Kill()
			}
			return nil
		},
		Heal: func(ctx context.Context, w *world.World, _ *world.Broker) error {
			for _, b := range w.Brokers {
				if err := b.Start(ctx); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		Name: "name server killed", Lasts: 5 * time.Second, Spares: everybody, Quick: true,
		Strike: func(_ context.Context, w *world.World, _ *world.Broker) error { w.KillNameServer(); return nil },
		Heal:   startNameServer,
	},
	{
		Name: "network to one broker cut", Hit: ChosenBroker, Wired: true, Lasts: pause, Spares: nobody,
		Strike: func(_ context.Context, _ *world.World, b *world.Broker) error { b.Wire().Cut(); return nil },
		Heal:   func(_ context.Context, _ *world.World, b *world.Broker) error { b.Wire().Mend(); return nil },
	},
	{
		Name: "network to one broker slow", Wired: true, Lasts: pause, Spares: everybody,
		Strike: func(_ context.Context, _ *world.World, b *world.Broker) error { b.Wire().Delay(latency); return nil },
		Heal:   func(_ context.Context, _ *world.World, b *world.Broker) error { b.Wire().Delay(0); return nil },
	},
	{
		Name: "connections to one broker reset", Hit: ChosenBroker, Wired: true, Spares: nobody, Quick: true,
		Strike: func(_ context.Context, _ *world.World, b *world.Broker) error { return resets(b.Wire()) },
		Heal:   nothing,
	},
	{
		Name: "connections of clients reset", Hit: EveryBroker, Spares: directOnes, Quick: true,
		Strike: func(_ context.Context, w *world.World, _ *world.Broker) error { return resets(w.ProxyWires()...) },
		Heal:   nothing,
	},
	{
		Name: "Envoy killed", Hit: EveryBroker, Spares: directOnes, Quick: true,
		Strike: func(_ context.Context, w *world.World, _ *world.Broker) error { w.KillEnvoy(); return nil },
		Heal:   startEnvoy,
	},
	{
		Name: "Envoy stopped in good order", Hit: EveryBroker, Spares: directOnes,
		Strike: func(_ context.Context, w *world.World, _ *world.Broker) error { return w.StopEnvoy() },
		Heal:   startEnvoy,
	},
	{
		Name: "Envoy restarted hot", Hit: EveryBroker, Spares: directOnes,
		Strike: hotRestart,
		Heal:   nothing,
	},
	{
		Name: "config reloaded", Hit: EveryBroker, Spares: directOnes, Quick: true,
		Strike: reload,
		Heal:   nothing,
	},
	{
		Name: "listeners drained and gone", Hit: EveryBroker, Lasts: pause, Spares: directOnes,
		Strike: func(ctx context.Context, w *world.World, _ *world.Broker) error {
			return w.UpdateListeners(ctx, func([]any) []any { return nil })
		},
		Heal: func(ctx context.Context, w *world.World, _ *world.Broker) error {
			return w.UpdateListeners(ctx, func(all []any) []any { return all })
		},
	},
}

// Named gives some of All, in this order.
func Named(names ...string) ([]Fault, error) {
	var faults []Fault
	for _, name := range names {
		i := slices.IndexFunc(All, func(f Fault) bool { return f.Name == name })
		if i < 0 {
			var known []string
			for _, f := range All {
				known = append(known, f.Name)
			}
			return nil, fmt.Errorf("fault %q is unknown; want some of %q", name, known)
		}
		faults = append(faults, All[i])
	}
	return faults, nil
}

func start(ctx context.Context, _ *world.World, b *world.Broker) error { return b.Start(ctx) }

// startNameServer starts a name server that knows nothing, and has brokers tell it at once.
func startNameServer(ctx context.Context, w *world.World, _ *world.Broker) error {
	if err := w.StartNameServer(ctx); err != nil {
		return err
	}
	for _, b := range w.Brokers {
		if err := b.Register(ctx); err != nil {
			return err
		}
	}
	return nil
}

func startEnvoy(ctx context.Context, w *world.World, _ *world.Broker) error { return w.StartEnvoy(ctx) }

// stutter has a broker stand still three quarters of the time, as one does whose disk is slow.
func stutter(ctx context.Context, _ *world.World, b *world.Broker) error {
	for end := time.Now().Add(pause); time.Now().Before(end) && ctx.Err() == nil; {
		b.Process().Pause()
		time.Sleep(300 * time.Millisecond)
		b.Process().Resume()
		time.Sleep(100 * time.Millisecond)
	}
	return ctx.Err()
}

// resets breaks all connections of some wires three times in three seconds.
func resets(wires ...*world.Wire) error {
	if len(wires) == 0 {
		return errors.New("the world has no wires there")
	}
	for range 3 {
		for _, w := range wires {
			w.Reset()
		}
		time.Sleep(time.Second)
	}
	return nil
}

// hotRestart has another Envoy take over, and waits until the one before is gone.
func hotRestart(ctx context.Context, w *world.World, _ *world.Broker) error {
	old, err := w.HotRestartEnvoy(ctx)
	if err != nil {
		return err
	}
	select {
	case <-old.Done():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the old Envoy has not ended: %w", ctx.Err())
	}
}

// reload changes options of the filter five times, and leaves them as they were at first.
func reload(ctx context.Context, w *world.World, _ *world.Broker) error {
	for _, seconds := range []int{14, 13, 12, 11, 0} {
		err := w.UpdateListeners(ctx, func(all []any) []any {
			if seconds > 0 {
				SetOption(all, "timeouts", map[string]any{"request": fmt.Sprintf("%ds", seconds)})
			}
			return all
		})
		if err != nil {
			return err
		}
		time.Sleep(time.Second)
	}
	return nil
}

// SetOption sets an option of the filter wherever it stands in a config that was read from JSON or YAML.
func SetOption(config any, name string, value any) {
	switch node := config.(type) {
	case []any:
		for _, child := range node {
			SetOption(child, name, value)
		}
	case map[string]any:
		if options, ok := node["value"].(map[string]any); ok && node["type_url"] == "type.googleapis.com/rocketmq_proxy.v1.FilterConfig" {
			options[name] = value
			return
		}
		for _, child := range node {
			SetOption(child, name, value)
		}
	}
}
