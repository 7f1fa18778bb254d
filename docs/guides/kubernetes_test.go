// SPDX-License-Identifier: Apache-2.0

package guides

import (
	"slices"
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
