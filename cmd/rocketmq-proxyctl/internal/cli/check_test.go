// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/storm"
)

// examples is the folder of the project's own configs.
const examples = "../../../../envoy-config"

// TestCheckFindsTheProjectsConfigsGood has every config of the project, those for meshes included.
func TestCheckFindsTheProjectsConfigsGood(t *testing.T) {
	found := 0
	err := filepath.WalkDir(examples, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), "type.googleapis.com/rocketmq_proxy.v1.FilterConfig") {
			return err // it configures something else
		}
		found++
		if status, out, errs := run(t, nil, "check", path); status != 0 || strings.Contains(out, "warning:") {
			t.Errorf("status %d: %s%s", status, out, errs)
		}
		return nil
	})
	if err != nil || found < 14 {
		t.Errorf("%d found, %v", found, err)
	}
}

func TestCheck(t *testing.T) {
	for _, name := range []string{"check-bad", "check-golang", "check-neighbours", "check-bare", "check-configmap", "check-own", "check-other", "check-lds"} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", name+".yaml"))
			if err != nil {
				t.Fatal(err)
			}
			expect(t, name, transcript(run(t, text, "check", "-")))
		})
	}
}

func TestCheckOfJSON(t *testing.T) {
	text := "{\n\t\"rocketmq_proxy\": {\"stat_prefix\": \"a\"},\n\t\"clusters\": [{\"name\": \"c\", \"name_servers\": [\"nowhere\"]}],\n\t\"addressing\": {\"unified\": {}}\n}"
	status, out, _ := run(t, []byte(text), "check", "-")
	if want := `-:3: error: clusters[0].name_servers[0] is "nowhere"; want host:port`; status != 1 || !strings.HasPrefix(out, want) {
		t.Errorf("status %d: %s; want %s", status, out, want)
	}
}

func TestCheckOfTwoAddressingModes(t *testing.T) {
	text := "rocketmq_proxy: {stat_prefix: a}\nclusters: [{name: c, name_servers: [\"ns:9876\"]}]\naddressing:\n  unified: {}\n  transparent: {}\n"
	status, out, errs := run(t, []byte(text), "check", "-")
	if want := "-:3: error: addressing has unified and transparent; want one of per_broker, unified, transparent\n"; status != 1 || out != want {
		t.Errorf("status %d: %s%s; want %s", status, out, errs, want)
	}
}

func TestCheckOfWhatCannotBeRead(t *testing.T) {
	for _, test := range []struct{ name, in, file, want string }{
		{"no such file", "", "testdata/nothing.yaml", "no such file"},
		{"a folder", "", "testdata", "testdata is a directory; name its files, as testdata/*.yaml"},
		{"no YAML", "a: [", "-", "yaml: "},
		{"an alias of itself", "a: &a {b: *a, rocketmq_proxy: {stat_prefix: x}}", "-", "has no config of the filter"},
		{"a tree of aliases", bomb(), "-", "more than"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if status, out, errs := run(t, []byte(test.in), "check", test.file); status == 0 || !strings.Contains(out+errs, test.want) {
				t.Errorf("status %d: %s%s", status, out, errs)
			}
		})
	}
}

// bomb is a small file that is a huge tree.
func bomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for _, level := range "123456789" {
		name := string(level)
		b.WriteString("a" + name + ": &a" + name + " [")
		b.WriteString(strings.TrimSuffix(strings.Repeat("*a"+string(level-1)+", ", 10), ", "))
		b.WriteString("]\n")
	}
	return b.String()
}

func TestQuietCheckSaysNothingOfWhatIsGood(t *testing.T) {
	if status, out, _ := run(t, nil, "check", "-q", filepath.Join(examples, "unified.yaml")); status != 0 || out != "" {
		t.Errorf("status %d: %s", status, out)
	}
}

// FuzzCheck demands that no file is a fault.
func FuzzCheck(f *testing.F) {
	names, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range append(names, filepath.Join(examples, "per-broker.yaml")) {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	storm.Fuzz(f, func(t *testing.T, text string) {
		var out strings.Builder
		Run(t.Context(), []string{"check", "-"}, strings.NewReader(text), &out, &out)
	})
}

func TestCheckFindsNameServersThatAreTheProxyItself(t *testing.T) {
	for server, self := range map[string]bool{"127.0.0.1:19876": true, "127.0.0.1:20921": true, "[::ffff:127.0.0.1]:19876": true, "127.0.0.1:9901": false, "127.0.0.2:19876": false} {
		file := perBrokerWith(t, `name_servers: ["127.0.0.1:9876"]`, `name_servers: ["`+server+`"]`)
		status, out, _ := run(t, nil, "check", file)
		want := "has clusters[0].name_servers[0] " + server + ", where a listener of this file has the filter: the proxy would call itself"
		if found := strings.Contains(out, want); found != self || (status == 1) != self {
			t.Errorf("%s: exit status %d\n%s", server, status, out)
		}
	}
}

func TestCheckShowsAndChecksNetworks(t *testing.T) {
	file := perBrokerWith(t, `["127.0.0.1/32"]`, `["10.1.2.3/16", "fd00::1"]`)
	if status, out, _ := run(t, nil, "check", file); status != 0 || !strings.Contains(out, ", brokers of DefaultCluster in 10.1.0.0/16 fd00::1/128, ") {
		t.Errorf("exit status %d\n%s", status, out)
	}
	file = perBrokerWith(t, `["127.0.0.1/32"]`, `["10.1.0.0/16", "10.1.0.0/33"]`)
	if status, out, _ := run(t, nil, "check", file); status != 1 || !strings.Contains(out, `clusters[0].broker_networks[1] is "10.1.0.0/33"; want a network such as 10.1.0.0/16, or an address`) {
		t.Errorf("exit status %d\n%s", status, out)
	}
}
