// SPDX-License-Identifier: Apache-2.0

// Package schema checks Kubernetes objects of this project against the types of those who define them: unknown fields
// and values of a wrong kind are refused. It is a module of its own, so that the project does not depend on all of them.
package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	envoygateway "github.com/envoyproxy/gateway/api/v1alpha1"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
	gatewayalpha "sigs.k8s.io/gateway-api/apis/v1alpha2"
	kustomize "sigs.k8s.io/kustomize/api/types"
)

// types are the objects whose Go types are their schemas, by apiVersion and kind.
var types = map[string]func() any{
	"v1/ConfigMap":                  func() any { return &core.ConfigMap{} },
	"v1/Service":                    func() any { return &core.Service{} },
	"apps/v1/Deployment":            func() any { return &apps.Deployment{} },
	"policy/v1/PodDisruptionBudget": func() any { return &policy.PodDisruptionBudget{} },
	"kustomize.config.k8s.io/v1beta1/Kustomization":   func() any { return &kustomize.Kustomization{} },
	"gateway.networking.k8s.io/v1/GatewayClass":       func() any { return &gateway.GatewayClass{} },
	"gateway.networking.k8s.io/v1/Gateway":            func() any { return &gateway.Gateway{} },
	"gateway.networking.k8s.io/v1alpha2/TCPRoute":     func() any { return &gatewayalpha.TCPRoute{} },
	"gateway.envoyproxy.io/v1alpha1/EnvoyProxy":       func() any { return &envoygateway.EnvoyProxy{} },
	"gateway.envoyproxy.io/v1alpha1/EnvoyPatchPolicy": func() any { return &envoygateway.EnvoyPatchPolicy{} },
}

// messages are Istio's objects, whose `spec` is a message.
var messages = map[string]func() proto.Message{
	"networking.istio.io/v1alpha3/EnvoyFilter": func() proto.Message { return &networking.EnvoyFilter{} },
	"networking.istio.io/v1/Gateway":           func() proto.Message { return &networking.Gateway{} },
	"networking.istio.io/v1/VirtualService":    func() proto.Message { return &networking.VirtualService{} },
}

func TestObjectsAreWhatTheirTypesSay(t *testing.T) {
	var files []string
	for _, pattern := range []string{"../../../build/kubernetes/*.yaml", "../../../envoy-config/istio/*.yaml", "../../../envoy-config/envoy-gateway/*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(found), err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			documents := yaml.NewDecoder(bytes.NewReader(text))
			for {
				var object map[string]any
				if err := documents.Decode(&object); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				check(t, object)
			}
		})
	}
}

func check(t *testing.T, object map[string]any) {
	t.Helper()
	kind, _ := object["kind"].(string)
	version, _ := object["apiVersion"].(string)
	name := version + "/" + kind
	if message, ok := messages[name]; ok {
		text, err := json.Marshal(object["spec"])
		if err != nil {
			t.Fatal(err)
		}
		if err := protojson.Unmarshal(text, message()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return
	}
	make, ok := types[name]
	if !ok {
		t.Fatalf("no type is known for %s", name)
	}
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(make()); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}
