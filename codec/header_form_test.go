// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestHeaderFormsAreReadAsRocketMQReadsThem compares with what TestHeaderForms of test/integration demands of RocketMQ.
func TestHeaderFormsAreReadAsRocketMQReadsThem(t *testing.T) {
	text, err := os.ReadFile("testdata/header-forms.txt")
	if err != nil {
		t.Fatal(err)
	}
	read, closed := 0, 0
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		form, theirs, want := columns[0], columns[1], columns[2]
		typ, raw := JSON, []byte(form)
		if b, err := hex.DecodeString(form); err == nil {
			typ, raw = ROCKETMQ, b
		}
		var h Header
		switch err := h.Parse(typ, raw); {
		case err != nil:
			closed++
			if got := strings.TrimPrefix(err.Error(), "bad_header: "); got != want {
				t.Errorf("%s\n got %s\nwant %s", form, got, want)
			}
		case want != "read":
			t.Errorf("%s is read\nwant %s", form, want)
		default:
			read++
			if got := reading(&h); got != theirs {
				t.Errorf("%s\n     we read %s\nRocketMQ reads %s", form, got, theirs)
			}
		}
	}
	if read < 40 || closed < 60 {
		t.Errorf("%d forms are read and %d are not: the file is cut", read, closed)
	}
}

// reading writes a header as workload.HeaderForms does.
func reading(h *Header) string {
	parts := []string{fmt.Sprintf("code=%d opaque=%d", h.Code, h.Opaque)}
	if h.Flag != 0 {
		parts = append(parts, fmt.Sprintf("flag=%d", h.Flag))
	}
	if h.Version != 0 {
		parts = append(parts, fmt.Sprintf("version=%d", h.Version))
	}
	if h.Language < languageCodes && h.Language != LanguageJava {
		parts = append(parts, "language="+h.Language.String())
	}
	if h.Remark() != "" {
		parts = append(parts, "remark="+h.Remark())
	}
	fields := map[string]string{}
	for name, value := range h.Fields() {
		if h.Type == JSON || len(value) > 0 { // Java reads an empty ROCKETMQ value as null
			fields[string(name)] = string(value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		parts = append(parts, "extFields."+name+"="+fields[name])
	}
	return strings.Join(parts, " ")
}
