// SPDX-License-Identifier: Apache-2.0

package recipes

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/build/versions"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/stats"
)

func yamlFiles(t *testing.T, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(folder)))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) == ".yaml" {
			names = append(names, entry.Name())
		}
	}
	return names
}

// TestVersionsAgree holds images and pages to the releases that the tests run with.
func TestVersionsAgree(t *testing.T) {
	envoy, rocketmq := versions.Envoy[0], versions.RocketMQ[0]
	for _, c := range []struct{ file, want string }{
		{"build/container/Dockerfile", "ARG ENVOY_VERSION=" + envoy},
		{"build/compose/compose.yaml", "image: envoy-rocketmq:v" + envoy},
		{"build/kubernetes/deployment.yaml", "envoy-rocketmq:v" + envoy},
		{"docs/guides/containers.md", "envoy-rocketmq:v" + envoy},
		{"build/compose/compose.yaml", "image: apache/rocketmq:" + rocketmq},
		{"README.md", "RocketMQ " + rocketmq + " name server"},
		{"docs/UPGRADING.md", "all tests run with " + rocketmq},
	} {
		if !strings.Contains(string(read(t, c.file)), c.want) {
			t.Errorf("%s lacks %q", c.file, c.want)
		}
	}
}

// TestImagesArePinned finds images without a version, and hosts of public registries, which every engine knows.
func TestImagesArePinned(t *testing.T) {
	image := regexp.MustCompile(`(?m)^(?:FROM |\s*image: |ARG [A-Z]+_IMAGE=)(\S+)`)
	public := regexp.MustCompile(`(?i)\b(docker\.io|quay\.io|gcr\.io|ghcr\.io)\b`)
	stage := regexp.MustCompile(`(?m)^FROM \S+ AS (\S+)`)
	for _, file := range []string{"build/container/Dockerfile", "build/container/Dockerfile.istio", "build/compose/compose.yaml", "build/kubernetes/deployment.yaml", "envoy-config/istio/workload.yaml", "envoy-config/envoy-gateway/proxy.yaml"} {
		text := string(read(t, file))
		stages := []string{"scratch"}
		for _, s := range stage.FindAllStringSubmatch(text, -1) {
			stages = append(stages, s[1])
		}
		found := image.FindAllStringSubmatch(text, -1)
		for _, m := range found {
			if name := m[1]; !strings.HasPrefix(name, "$") && !slices.Contains(stages, name) && !regexp.MustCompile(`:[^:/]*[0-9$]`).MatchString(name) {
				t.Errorf("%s: %s has no version", file, name)
			}
		}
		if len(found) == 0 {
			t.Errorf("%s has no image", file)
		}
		if host := public.FindString(text); host != "" {
			t.Errorf("%s names %s", file, host)
		}
	}
}

// TestComposeIsWhole finds mounted files that do not exist, and ports that Envoy does not listen at.
func TestComposeIsWhole(t *testing.T) {
	compose := objects(t, "build/compose/compose.yaml")[0]
	services, _ := compose["services"].(map[string]any)
	for name, service := range services {
		for _, volume := range list(at(service, "volumes")) {
			source, _, _ := strings.Cut(volume.(string), ":")
			if _, err := os.Stat(filepath.Join(root, "build/compose", source)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, needed := range list(at(service, "depends_on")) {
			if services[needed.(string)] == nil {
				t.Errorf("%s needs %s, which is not there", name, needed)
			}
		}
	}
	envoy := string(read(t, "build/compose/envoy.yaml"))
	for _, port := range list(at(services["envoy"], "ports")) {
		inner := port.(string)[strings.LastIndexByte(port.(string), ':')+1:]
		if !strings.Contains(envoy, "port_value: "+inner+"}") {
			t.Errorf("Envoy does not listen at %s", inner)
		}
		if !strings.HasPrefix(port.(string), "127.0.0.1:") {
			t.Errorf("port %s is open to everybody", port)
		}
	}
	dockerfile := at(services["envoy"], "build", "dockerfile").(string)
	if !strings.Contains(string(read(t, dockerfile)), " AS "+at(services["envoy"], "build", "target").(string)+"\n") {
		t.Errorf("%s has no target %v", dockerfile, at(services["envoy"], "build", "target"))
	}
}

// TestOnlyStatsThatExistAreAskedFor compares the names in the dashboard, the alerts and verify.sh with the filter's table:
// the dashboard shows all trouble, and nothing else raises an alert by moving.
func TestOnlyStatsThatExistAreAskedFor(t *testing.T) {
	known, trouble := map[string]bool{}, map[string]bool{}
	for _, def := range stats.Table {
		name, _, _ := strings.Cut(def.Name, ".") // the stats_tags of envoy-config make a label of the rest
		known[name] = true
		trouble[name] = def.Signal == stats.Trouble
		if def.Kind == stats.Histogram {
			known[name+"_bucket"] = true
		}
	}
	var dashboard struct {
		UID    string
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(read(t, "build/grafana/rocketmq.json"), &dashboard); err != nil {
		t.Fatal(err)
	}
	used := regexp.MustCompile(`envoy_rocketmq_([a-z0-9_]+)`)
	shown := map[string]bool{}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			names := used.FindAllStringSubmatch(target.Expr, -1)
			for _, name := range names {
				shown[name[1]] = true
				if !known[name[1]] {
					t.Errorf("%s: no stat %s", panel.Title, name[1])
				}
			}
			if len(names) == 0 {
				t.Errorf("%s: %s", panel.Title, target.Expr)
			}
		}
	}
	for name := range trouble {
		if trouble[name] && !shown[name] {
			t.Errorf("the dashboard does not show %s", name)
		}
	}
	for _, group := range list(at(objects(t, "build/prometheus/rules.yaml")[0], "groups")) {
		for _, rule := range list(at(group, "rules")) {
			alert, _ := at(rule, "alert").(string)
			expr := at(rule, "expr").(string)
			for _, at := range used.FindAllStringSubmatchIndex(expr, -1) {
				name := expr[at[2]:at[3]]
				recorded, absent := strings.HasSuffix(expr[:at[0]], ":"), strings.HasPrefix(expr, "absent(")
				if !known[name] {
					t.Errorf("rules.yaml: no stat %s", name)
				}
				if alert != "" && !recorded && !absent && !trouble[name] {
					t.Errorf("%s: %s is no stat of trouble", alert, name)
				}
			}
		}
	}
	script := string(read(t, "build/compose/verify.sh"))
	if !strings.Contains(script, "/uid/"+dashboard.UID) {
		t.Error("verify.sh asks for another dashboard")
	}
	for _, name := range []string{"request_code.send_message_v2", "request_decoding_error", "route_address_uncovered", "panic"} {
		if !strings.Contains(script, name) || !known[strings.SplitN(name, ".", 2)[0]] {
			t.Errorf("verify.sh does not ask for %s, or there is none", name)
		}
	}
}
