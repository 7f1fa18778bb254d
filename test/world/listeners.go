// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/process"
)

// listenersFile is where Envoy reads its listeners from, with Options.ListenersFile, and the folder that it watches.
func (w *World) listenersFile() string { return filepath.Join(w.Dir, "lds", "listeners.json") }

// moveListeners moves the listeners of a config into the file, and has the config name that.
func (w *World) moveListeners(text string) (string, error) {
	config, listeners, err := splitListeners(text)
	if err != nil {
		return "", err
	}
	file := w.listenersFile()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}
	config["dynamic_resources"] = map[string]any{"lds_config": map[string]any{
		"resource_api_version": "V3",
		"path_config_source":   map[string]any{"path": file, "watched_directory": map[string]any{"path": filepath.Dir(file)}},
	}}
	config["node"] = map[string]any{"id": "world", "cluster": "world"}
	if err := writeListeners(file, listeners); err != nil {
		return "", err
	}
	json, err := json.MarshalIndent(config, "", " ")
	return string(json), err
}

// splitListeners takes the listeners out of a config.
func splitListeners(text string) (config map[string]any, listeners []any, err error) {
	if err := yaml.Unmarshal([]byte(text), &config); err != nil {
		return nil, nil, err
	}
	static, _ := config["static_resources"].(map[string]any)
	listeners, _ = static["listeners"].([]any)
	if len(listeners) == 0 {
		return nil, nil, errors.New("the config has no static listeners")
	}
	delete(static, "listeners")
	return config, listeners, nil
}

func writeListeners(file string, listeners []any) error {
	for _, l := range listeners {
		l.(map[string]any)["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener"
	}
	text, err := json.MarshalIndent(map[string]any{"resources": listeners}, "", " ")
	if err != nil {
		return err
	}
	// Envoy reads a file when another takes its place.
	if err := os.WriteFile(file+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// UpdateListeners gives Envoy the World's listeners as edit returns them, and waits until it has taken them. edit may
// change what it is given. Only with Options.ListenersFile.
func (w *World) UpdateListeners(ctx context.Context, edit func(listeners []any) []any) error {
	text, err := w.EnvoyConfig()
	if err != nil {
		return err
	}
	_, listeners, err := splitListeners(text)
	if err != nil {
		return err
	}
	const (
		taken   = "listener_manager.lds.update_success"
		refused = "listener_manager.lds.update_rejected"
		warming = "listener_manager.total_listeners_warming"
	)
	before, err := w.Stats(ctx, taken, refused)
	if err != nil {
		return err
	}
	if err := writeListeners(w.listenersFile(), edit(listeners)); err != nil {
		return err
	}
	var now map[string]uint64
	err = process.Await(ctx, w.Envoy(), "Envoy has the new listeners", func() (bool, error) {
		now, err = w.Stats(ctx, taken, refused, warming)
		return err == nil && (now[refused] > before[refused] || now[taken] > before[taken] && now[warming] == 0), err
	})
	if err == nil && now[refused] > before[refused] {
		err = fmt.Errorf("envoy refused the listeners; its log says why: %s", process.Tail(w.Envoy().LogFile, 3))
	}
	return err
}
