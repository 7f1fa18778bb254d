// SPDX-License-Identifier: Apache-2.0

package recipes

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestEdgePortsAreTheSameEverywhere compares the ports of Envoy's listeners, the pods and the Service.
func TestEdgePortsAreTheSameEverywhere(t *testing.T) {
	var envoy map[string]any
	text, _ := at(object(t, "build/kubernetes/configmap.yaml", "ConfigMap"), "data", "envoy.yaml").(string)
	if err := yaml.Unmarshal([]byte(text), &envoy); err != nil {
		t.Fatal(err)
	}
	var listening []int
	for _, l := range list(at(envoy, "static_resources", "listeners")) {
		port := func(address any) {
			n, _ := at(address, "socket_address", "port_value").(int)
			listening = append(listening, n)
		}
		port(at(l, "address"))
		for _, more := range list(at(l, "additional_addresses")) {
			port(at(more, "address"))
		}
	}
	pods := map[string]int{}
	deployment := object(t, "build/kubernetes/deployment.yaml", "Deployment")
	for _, port := range list(at(deployment, "spec", "template", "spec", "containers", 0, "ports")) {
		pods[at(port, "name").(string)] = at(port, "containerPort").(int)
	}
	var exposed []int
	for _, port := range list(at(object(t, "build/kubernetes/service.yaml", "Service"), "spec", "ports")) {
		target, ok := pods[at(port, "targetPort").(string)]
		if !ok || target != at(port, "port") {
			t.Errorf("%v leads to %d", port, target)
		}
		exposed = append(exposed, target)
	}
	for name, port := range pods {
		if !slices.Contains(listening, port) {
			t.Errorf("nothing listens at port %d (%s)", port, name)
		}
		if !slices.Contains(exposed, port) && name != "ready" {
			t.Errorf("the Service lacks port %d (%s)", port, name)
		}
	}
	if len(pods) != len(listening) {
		t.Errorf("Envoy listens at %v, pods have %v", listening, pods)
	}
	template := at(envoy, "static_resources", "listeners", 0, "filter_chains", 0, "filters", 0, "typed_config", "filter_config", "value", "addressing", "per_broker", "template")
	first, _ := at(template, "listener_base_port").(int)
	numbers, _ := at(template, "numbers").(int)
	ids, _ := at(template, "ids_per_broker").(int)
	for port := first; port < first+numbers*ids; port++ {
		if !slices.Contains(exposed, port) {
			t.Errorf("the Service lacks port %d of the template", port)
		}
	}
	if numbers*ids+1 != len(exposed) {
		t.Errorf("%d brokers' ports, the Service has %d", numbers*ids, len(exposed))
	}
}

// TestEdgeLimitsFitThePod compares what the filter may keep (docs/LIMITS.md) with Go's limit, and that with the pod's.
func TestEdgeLimitsFitThePod(t *testing.T) {
	var envoy map[string]any
	text, _ := at(object(t, "build/kubernetes/configmap.yaml", "ConfigMap"), "data", "envoy.yaml").(string)
	if err := yaml.Unmarshal([]byte(text), &envoy); err != nil {
		t.Fatal(err)
	}
	kept, connections := 0, 0
	for _, l := range list(at(envoy, "static_resources", "listeners")) {
		limits := at(l, "filter_chains", 0, "filters", 0, "typed_config", "filter_config", "value", "limits")
		if limits == nil {
			continue // the listener for the admin interface
		}
		bytes, _ := at(limits, "max_total_bytes").(int)
		clients, _ := at(limits, "max_connections").(int)
		kept += bytes + clients*6<<10
		connections += clients
		if at(l, "per_connection_buffer_limit_bytes") == nil {
			t.Errorf("%v has Envoy's default of buffers", at(l, "name"))
		}
	}
	if most := at(envoy, "overload_manager", "resource_monitors", 0, "typed_config", "max_active_downstream_connections"); most != connections || connections == 0 {
		t.Errorf("Envoy takes %v connections, the filter %d", most, connections)
	}
	container := at(object(t, "build/kubernetes/deployment.yaml", "Deployment"), "spec", "template", "spec", "containers", 0)
	if at(container, "env", 0, "name") != "GOMEMLIMIT" {
		t.Fatalf("env is %v", at(container, "env"))
	}
	size := func(value any, unit string) int {
		text, _ := value.(string)
		number, ok := strings.CutSuffix(text, unit)
		n, err := strconv.Atoi(number)
		if !ok || err != nil {
			t.Fatalf("%q is not a number of %s", text, unit)
		}
		return n
	}
	heap := size(at(container, "env", 0, "value"), "MiB") << 20
	pod := size(at(container, "resources", "limits", "memory"), "Gi") << 30
	if kept > heap || heap > pod/2 {
		t.Errorf("the filter may keep %d bytes, GOMEMLIMIT is %d, the pod's limit %d", kept, heap, pod)
	}
}

func TestEdgeLabelsAgree(t *testing.T) {
	deployment := object(t, "build/kubernetes/deployment.yaml", "Deployment")
	want := at(deployment, "spec", "template", "metadata", "labels", "app.kubernetes.io/name")
	for name, got := range map[string]any{
		"the Deployment's selector": at(deployment, "spec", "selector", "matchLabels", "app.kubernetes.io/name"),
		"the Service's selector":    at(object(t, "build/kubernetes/service.yaml", "Service"), "spec", "selector", "app.kubernetes.io/name"),
		"the budget's selector":     at(object(t, "build/kubernetes/disruption-budget.yaml", "PodDisruptionBudget"), "spec", "selector", "matchLabels", "app.kubernetes.io/name"),
	} {
		if got != want || want == nil {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if at(deployment, "spec", "template", "spec", "volumes", 0, "configMap", "name") != at(object(t, "build/kubernetes/configmap.yaml", "ConfigMap"), "metadata", "name") {
		t.Error("the Deployment takes another ConfigMap")
	}
}

func TestKustomizationNamesEveryManifest(t *testing.T) {
	resources := list(objects(t, "build/kubernetes/kustomization.yaml")[0]["resources"])
	for _, name := range yamlFiles(t, "build/kubernetes") {
		if name != "kustomization.yaml" && !slices.Contains(resources, any(name)) {
			t.Errorf("%s is not in kustomization.yaml", name)
		}
	}
}
